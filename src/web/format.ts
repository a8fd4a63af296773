/** Numbers and states in words. */

export function money(amount: number, currency: string): string {
  try {
    return new Intl.NumberFormat("en-US", { style: "currency", currency, maximumFractionDigits: 0 }).format(
      amount,
    );
  } catch {
    // Not a currency code the browser knows.
    return `${Math.round(amount).toLocaleString("en-US")} ${currency}`;
  }
}

export function moneyRange(low: number, high: number, currency: string): string {
  const from = money(low, currency);
  const to = money(high, currency);
  return from === to ? from : `${from} – ${to}`;
}

export function duration(ms: number): string {
  if (ms < 1) return "under 1 ms";
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

export function pretty(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

const REASONS: Readonly<Record<string, string>> = {
  closed: "closed",
  connection_lost: "connection lost",
  no_answer: "no answer from the server",
  no_greeting: "no answer from the server",
  no_reply: "no answer from the server",
  restarting: "the server is restarting",
  discovery_failed: "the server cannot be reached",
  token_unavailable: "signing in failed",
  token_expired: "the sign-in has expired",
  token_invalid: "the sign-in was not accepted",
  token_malformed: "the token is not usable",
  superseded: "this page was connected again elsewhere",
  connection_limit: "too many pages are open",
  signed_out: "signed out",
  forbidden: "not allowed",
  rate_limited: "too many requests",
  unsupported_version: "this page is out of date, please reload",
};

export function reasonText(reason: string): string {
  return REASONS[reason] ?? reason.replaceAll("_", " ");
}
