/** The one error of the SDK: what the server refused, and what the SDK itself could not do, by code. */
import type { ErrorCode } from "../protocol/errors.ts";
import type { ErrorFrame } from "../protocol/replies.ts";

/** What the SDK itself reports; everything else is a code of the server. */
export type LocalErrorCode =
  /** `close()` was called. */
  | "closed"
  /** The server told this client to stop; the close code is in `client.state`. */
  | "stopped"
  /** The server has dropped this user's state (close codes 4300–4399), and with it what was waiting here. */
  | "state_invalidated"
  | "discovery_failed"
  | "discovery_invalid"
  /** `getToken` threw, or took longer than 10 s. */
  | "token_unavailable"
  /** The platform has no `WebSocket`, or does not let it be used: hand one in as `environment.WebSocket`. */
  | "websocket_unavailable"
  /** The server sent something that is not of this protocol. */
  | "bad_frame"
  /** The order of events could not be restored in three tries. */
  | "resync_failed";

export interface ErrorDetails {
  /** Path of the offending field, such as `payload.content`. */
  readonly field?: string | undefined;
  /** The limit that was passed. */
  readonly limit?: number | undefined;
  /** True if the very same request may succeed later. */
  readonly retryable?: boolean | undefined;
  readonly retry_after_ms?: number | undefined;
  /** True if the command may have reached the server: its effect, if any, shows in the conversation. */
  readonly maybe_sent?: boolean | undefined;
  readonly cause?: unknown;
}

/**
 * Rejects what the client was asked to do, and is given to `on("error")` for the rest.
 *
 *     client.send(text).catch((error) => {
 *       if (error instanceof ClientError && error.code === "too_large") shorten(error.limit);
 *     });
 */
export class ClientError extends Error {
  override readonly name = "ClientError";
  declare readonly code: ErrorCode | LocalErrorCode;
  declare readonly field: string | undefined;
  declare readonly limit: number | undefined;
  declare readonly retryable: boolean;
  declare readonly retry_after_ms: number | undefined;
  declare readonly maybe_sent: boolean;

  constructor(code: ErrorCode | LocalErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.field = details.field;
    this.limit = details.limit;
    this.retryable = details.retryable ?? false;
    this.retry_after_ms = details.retry_after_ms;
    this.maybe_sent = details.maybe_sent ?? false;
  }
}

/** By name: `WebSocket` throws a `DOMException` called so, the `ws` package and `JSON.parse` the class itself. */
export function isSyntaxError(error: unknown): boolean {
  return error instanceof Error && error.name === "SyntaxError";
}

export function fromErrorFrame({ payload }: ErrorFrame): ClientError {
  return new ClientError(payload.code, payload.message, payload);
}

/** A bug of the SDK or its surroundings must not end in silence either. */
export function asClientError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  return new ClientError("discovery_failed", "attempt failed", { retryable: true, cause: error });
}
