/**
 * The close codes of the native protocol. The band alone tells a client what to
 * do, so codes added later are handled by clients that have never seen them.
 */

/** What a client does after a close: stop, fetch a new token, back off, or drop its cursor and outbox. */
export type CloseAction = "stop" | "renew_token" | "retry" | "reset";

export const CLOSE_CODES = {
  protocol_violation: 4000,
  unsupported_version: 4001,
  forbidden: 4003,
  user_mismatch: 4004,
  connection_limit: 4005,
  superseded: 4006,
  signed_out: 4007,
  token_expired: 4100,
  token_invalid: 4101,
  restarting: 4200,
  heartbeat_timeout: 4201,
  slow_consumer: 4202,
  rate_limited: 4203,
  internal: 4204,
  auth_unavailable: 4205,
  state_invalidated: 4300,
} as const;

export type CloseName = keyof typeof CLOSE_CODES;

const BANDS: Readonly<Record<number, CloseAction>> = { 40: "stop", 41: "renew_token", 43: "reset" };

/** Codes outside the four bands (1006 after a lost network, 1012 on a deploy, …) mean "try again". */
export function closeAction(code: number): CloseAction {
  return BANDS[Math.floor(code / 100)] ?? "retry";
}
