/**
 * Values that client and server must agree on to the byte. No imports: this
 * folder runs in browsers and in the Worker alike.
 */

/** Version of the native protocol; its history is in `protocol/version.ts`. */
export const PROTOCOL_VERSION = 1;

/** The only subprotocol the server ever echoes (RFC 6455 §1.9). */
export const SUBPROTOCOL = "throughline.v1";

/** Prefixes of the subprotocol that carries a credential; browsers cannot set headers on a WebSocket. */
export const TOKEN_SUBPROTOCOL_PREFIXES = ["jwt.", "bearer."] as const;

/**
 * The platform answers exactly these bytes without waking the object
 * (`setWebSocketAutoResponse`); another spelling works, but wakes it.
 */
export const PING_TEXT = '{"type":"ping","payload":{}}';
export const PONG_TEXT = '{"type":"pong","payload":{}}';

/** A client that has sent and received nothing for this long sends `ping`; below common 30 s proxy timeouts. */
export const PING_AFTER_SILENCE_MS = 25_000;

/** No answer to a `ping` within this time means the connection is dead. */
export const PONG_TIMEOUT_MS = 10_000;

/** One frame of a client, UTF-8 bytes: the server's limit unless its greeting says otherwise. */
export const MAX_FRAME_BYTES = 64 * 1024;

/** A client acknowledges after this many events, or after `ACK_AFTER_MS`, whichever comes first. */
export const ACK_AFTER_EVENTS = 16;
export const ACK_AFTER_MS = 250;

/** Without a reply to a command for this long the client sends it again with the same `id`. */
export const REPLY_TIMEOUT_MS = 10_000;

/** The thread that takes messages without a `thread_id`. Threads are named per user, so a constant suffices. */
export const DEFAULT_THREAD_ID = "main";
