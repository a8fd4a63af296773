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

/** The cost of an answer is often a fraction of a cent. */
export function cost(usd: number): string {
  if (usd > 0 && usd < 0.0001) return "under $0.0001";
  return new Intl.NumberFormat("en-US", {
    style: "currency",
    currency: "USD",
    maximumFractionDigits: usd < 1 ? 4 : 2,
  }).format(usd);
}

/** A time of the reader's day; with its date if that is another one. */
export function moment(iso: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const date = { month: "short", day: "numeric" } as const;
  const year = at.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  const day = at.toDateString() === now.toDateString() ? {} : { ...date, ...year };
  return new Intl.DateTimeFormat("en-US", { ...day, hour: "numeric", minute: "2-digit" }).format(at);
}

export function duration(ms: number): string {
  if (ms < 1) return "under 1 ms";
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

const BEGINNING_CHARS = 100;

/** How a long text begins, its first line or as many whole words of it as fit on one, and the rest. */
export function foldedAt(text: string): [beginning: string, rest: string] {
  const whole = text.trim();
  const [line = ""] = whole.split("\n", 1);
  const cut = line.slice(0, BEGINNING_CHARS);
  // Nor half of a character.
  const beginning = cut.length < line.length ? cut.replace(/\s+\S*$|[\ud800-\udbff]$/, "") : line;
  return [beginning, whole.slice(beginning.length).trim()];
}

export function pretty(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

/** Why a run failed, in the words of whoever executed it. */
export function failureText(message: string): string {
  return `The run failed: ${message.trim().replace(/\.$/, "")}. What it had found so far is kept.`;
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
