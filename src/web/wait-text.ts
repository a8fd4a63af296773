/** What is said of a wait: while it is open, and once it is over. */
import type { Wait } from "../client/index.ts";
import type { Answer } from "./answers.ts";
import { moment, pretty } from "./format.ts";
import type { SeenWait } from "./run-notes.ts";

/** Of anything but an approval; empty if there is nothing to say. */
export function waitText({ wait, outcome }: SeenWait, now: Date): string {
  if (outcome === undefined) return openText(wait, now);
  // A time that has come is nothing to report.
  if (wait.kind === "timer" || outcome === "answered") return "";
  return outcome === "expired" ? `Waited for ${whatOf(wait)}, which did not come in time.` : "";
}

function openText(wait: Wait, now: Date): string {
  const until = moment(wait.expires_at, now);
  if (wait.kind === "timer") return `Waiting until ${until}.`;
  const reason = wait.reason === undefined ? "" : `: ${wait.reason}`;
  return `Waiting for ${whatOf(wait)}${reason} (until ${until} at the latest).`;
}

function whatOf({ kind, name, tool_name }: Wait): string {
  if (kind === "client_tool") return `an app that can run ${tool_name ?? "its tool"}`;
  return name?.replaceAll("_", " ") ?? "a signal";
}

const RECORDS: Readonly<Record<NonNullable<SeenWait["outcome"]>, string>> = {
  approved: "Approved",
  denied: "Denied",
  expired: "Expired",
  answered: "Answered",
  failed: "Failed",
  unanswered: "Not answered",
};

/** What stays of an approval: one line, which says so if another answer than the one given here has counted. */
export function recordText(outcome: NonNullable<SeenWait["outcome"]>, answer: Answer | undefined): string {
  const another = answer !== undefined && answer.verdict !== outcome && isVerdict(outcome);
  return another ? `${RECORDS[outcome]} by another answer` : RECORDS[outcome];
}

function isVerdict(outcome: string): boolean {
  return outcome === "approved" || outcome === "denied" || outcome === "answered";
}

/** Of a call that somebody is to agree to; undefined where nobody can say what they are. */
export function argsText(args: unknown): string | undefined {
  if (args === undefined) return undefined;
  const none = args === null || JSON.stringify(args) === "{}";
  return none ? "It has no arguments." : plainly(pretty(args));
}

/** Controls and what browsers may show nothing for; not line breaks, nor what only chooses how a sign looks. */
const HIDDEN = /(?!\n|\t|\ufe0e|\ufe0f)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Arguments that somebody is to agree to: every character that shows nothing, or
 * changes the order in which others are shown, stands there as its code.
 */
export function plainly(text: string): string {
  return text.replace(HIDDEN, (hidden) => {
    const code = hidden.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16).padStart(4, "0")}}`;
  });
}
