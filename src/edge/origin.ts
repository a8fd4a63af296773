/** Which pages may talk to us: a browser names theirs in `Origin`, and no script can forge it (RFC 6454 §7). */
import type { Settings } from "../config/settings.ts";
import { type Refusal, refuse } from "../protocol/result.ts";

/** Who is not a browser sends none, and proves itself by its token alone. */
export function refuseOrigin(request: Request, settings: Settings): Refusal | undefined {
  const origin = request.headers.get("Origin");
  if (origin === null || origin === new URL(request.url).origin) return undefined;
  if (settings.allowed_origins.includes(origin)) return undefined;
  return refuse("origin_forbidden", "pages of this origin may not connect", { field: "Origin" }).refusal;
}

/**
 * True if the request names an address that only this machine reaches (RFC 6761
 * §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). A caller chooses what it names, so this
 * keeps pages of other hosts out (DNS rebinding), not other machines: those are kept
 * out by the address that `npm start` binds to, and by its refusal of development
 * tokens on any other.
 */
export function isLoopback(request: Request): boolean {
  const { hostname } = new URL(request.url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}
