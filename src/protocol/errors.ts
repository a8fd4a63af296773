/**
 * Every error code of the wire, in one table: what it means over HTTP, which
 * close code a refused WebSocket upgrade gets, and whether the same request may
 * succeed later. `docs/protocol.md` repeats this table and a test compares them.
 */
import type { CloseName } from "./pure/close-codes.ts";

interface ErrorRule {
  /** HTTP status when the refusal answers a request. */
  readonly status: number;
  /** Close code's name when the refusal ends or prevents a connection. */
  readonly close: CloseName;
  /** True if the very same request may succeed later. */
  readonly retryable: boolean;
}

const rule = (status: number, close: CloseName, retryable = false): ErrorRule => ({
  status,
  close,
  retryable,
});

export const ERRORS = {
  // Bad frames: answered with `error`, the connection lives on.
  bad_json: rule(400, "protocol_violation"),
  unknown_type: rule(400, "protocol_violation"),
  invalid_payload: rule(400, "protocol_violation"),
  too_large: rule(413, "protocol_violation"),
  binary_unsupported: rule(400, "protocol_violation"),
  ack_ahead: rule(409, "protocol_violation"),
  // Commands that cannot be carried out.
  id_conflict: rule(409, "protocol_violation"),
  not_found: rule(404, "protocol_violation"),
  conflict: rule(409, "protocol_violation"),
  expired: rule(410, "protocol_violation"),
  forbidden: rule(403, "forbidden"),
  rate_limited: rule(429, "rate_limited", true),
  queue_full: rule(429, "rate_limited", true),
  run_queue_full: rule(429, "rate_limited", true),
  budget_exceeded: rule(429, "rate_limited"),
  internal: rule(500, "internal", true),
  // Upgrades and requests refused before a session is touched.
  token_missing: rule(401, "token_invalid"),
  token_malformed: rule(401, "token_invalid"),
  token_algorithm: rule(401, "token_invalid"),
  token_signature: rule(401, "token_invalid"),
  token_key: rule(401, "token_invalid"),
  token_claims: rule(401, "token_invalid"),
  token_issuer: rule(401, "token_invalid"),
  token_audience: rule(401, "token_invalid"),
  token_not_yet_valid: rule(401, "token_invalid", true),
  token_expired: rule(401, "token_expired"),
  origin_forbidden: rule(403, "forbidden"),
  method_not_allowed: rule(405, "protocol_violation"),
  upgrade_required: rule(426, "protocol_violation"),
  unsupported_version: rule(400, "unsupported_version"),
  ticket_used: rule(401, "token_invalid"),
  auth_unavailable: rule(503, "auth_unavailable", true),
  not_configured: rule(503, "auth_unavailable", true),
  // Connections the session itself turns away or ends.
  connection_limit: rule(429, "connection_limit"),
  superseded: rule(409, "superseded"),
  signed_out: rule(401, "signed_out"),
  heartbeat_timeout: rule(408, "heartbeat_timeout", true),
  slow_consumer: rule(429, "slow_consumer", true),
  user_mismatch: rule(403, "user_mismatch"),
  state_invalidated: rule(409, "state_invalidated", true),
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof ERRORS;
