/**
 * How often one address may knock, and one user come in. The counters are the
 * platform's, per location and approximate: they are for floods, not for billing.
 */
import { type Refusal, refuse } from "../protocol/result.ts";
import type { Env, RateLimit } from "./env.ts";

/** The longest period the platform counts, and so what a refused client is asked to wait at most. */
const PERIOD_MS = 60_000;

/** Before anything costly is done for a stranger. */
export function refuseAddress(request: Request, { RATE_BY_ADDRESS }: Env): Promise<Refusal | undefined> {
  const address = addressOf(request);
  // Without an address the request did not come over the platform's edge: this machine, a test, a binding.
  return address === undefined ? Promise.resolve(undefined) : refuseOver(RATE_BY_ADDRESS, address);
}

/** Before anything is asked of the user's object. */
export function refuseUser(user_id: string, { RATE_BY_USER }: Env): Promise<Refusal | undefined> {
  return refuseOver(RATE_BY_USER, user_id);
}

async function refuseOver(limit: RateLimit | undefined, key: string): Promise<Refusal | undefined> {
  if (limit === undefined || (await limit.limit({ key })).success) return undefined;
  const retry_after_ms = PERIOD_MS;
  return refuse("rate_limited", "too many requests; wait and try again", { retry_after_ms }).refusal;
}

const LOOPBACK = ["127.0.0.1", "::1"];

/** Set by the platform, which overwrites what a client sends. */
function addressOf(request: Request): string | undefined {
  const address = request.headers.get("CF-Connecting-IP");
  if (address === null || LOOPBACK.includes(address)) return undefined;
  return address.includes(":") ? networkOf(address) : address;
}

/** One subscriber has a whole /64 of addresses (RFC 6177 §2), and could knock from a new one each time. */
function networkOf(address: string): string {
  const [head = "", tail] = address.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const rest = (tail ?? "").split(":").filter((group) => group !== "");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  return [...groups, ...Array(zeros).fill("0"), ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
