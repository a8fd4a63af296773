/** The client SDK's public edge. */
export type { EventType } from "../protocol/events.ts";
export { DEFAULT_THREAD_ID } from "../protocol/pure/constants.ts";
export type * from "../protocol/pure/conversation.ts";
export { inProgress } from "../protocol/pure/fold.ts";
export type { Channels } from "./channels.ts";
export { type Client, type ConnectOptions, connect, type SendOptions } from "./client.ts";
export { loadConfig, type ServerConfig } from "./discovery.ts";
export type { Environment, Signal, Socket, SocketClose } from "./environment.ts";
export { ClientError, type ErrorDetails, type LocalErrorCode } from "./errors.ts";
export type { ClientState } from "./state.ts";
export { uuidv7 } from "./uuid.ts";
