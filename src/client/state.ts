/** Whether the client is connected, as the application sees it. */
import type { ConnectionEstablished } from "../protocol/greeting.ts";

/**
 * `connecting`: an attempt is under way. `open`: established. `waiting`: the next
 * attempt comes by itself in `retry_in_ms`. `stopped`: for good; make a new client.
 * `reason` is the name of the close code, or what this side noticed.
 */
export type ClientState =
  | { readonly status: "connecting"; readonly attempt: number }
  | { readonly status: "open"; readonly greeting: ConnectionEstablished["payload"] }
  | {
      readonly status: "waiting";
      readonly retry_in_ms: number;
      readonly reason: string;
      readonly code?: number;
    }
  | { readonly status: "stopped"; readonly reason: string; readonly code?: number };
