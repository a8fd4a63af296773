/** Sign-out everywhere: from then on what was issued before is worth nothing, wherever it turns up. */
import { loginAt, type Principal } from "../auth/principal.ts";
import { refuse } from "../protocol/result.ts";
import type { Storage } from "./storage.ts";

export const SIGNED_OUT = refuse("signed_out", "this token was issued before its user signed out");

/** Undefined if the token is still good. A renewed or exchanged token is as old as the login it came from. */
export function refuseSignedOut(storage: Storage, who: Principal) {
  return loginAt(who) < (storage.born?.not_before ?? 0) ? SIGNED_OUT : undefined;
}

/**
 * Tokens of this very second are refused as well: times in tokens are whole
 * seconds, and which came first cannot be known.
 * @param now milliseconds since the epoch
 */
export function signOut(storage: Storage, now: number): void {
  storage.refuseBefore(Math.floor(now / 1_000) + 1);
}
