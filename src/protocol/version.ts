/**
 * The history of the native protocol; `PROTOCOL_VERSION` in pure/constants.ts is
 * the current number. A changed frame changes the history here,
 * `docs/protocol.md` and the fingerprint (test/protocol/version.test.ts) in the
 * same commit.
 */

/** What each version brought, oldest first. */
export const HISTORY = ["1: first version"] as const;

/** The oldest version the server still speaks. */
export const MIN_PROTOCOL_VERSION = 1;
