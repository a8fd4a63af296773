/** How an answer begins: what the spend is taken to be, and what of the question was left out. Said before levers are computed. */
import type { Allocation } from "./allocation.ts";
import type { Asked } from "./asked.ts";
import type { Measured } from "./evidence.ts";
import type { Facts } from "./facts/message.ts";
import { qualityOf } from "./findings.ts";
import { LEVERS } from "./levers.ts";
import { money } from "./money-text.ts";
import { percent } from "./tools/savings.ts";

/** Per month: it pays for no hour of anybody's time. */
export const SMALL_BILL = 10;

/** Fewer say little of a month. */
const FEW_DAYS = 7;

/** Enough to see what was not understood. */
const MAX_UNUSED = 5;

interface Opening {
  /** What is taken from earlier messages, in words. */
  readonly memory: string;
  readonly measured: Measured | undefined;
  /** The spend itself was said earlier. */
  readonly said_earlier: boolean;
  readonly asked: Asked;
  /** Levers that are done already, or not wanted. */
  readonly not: readonly string[];
}

export function opening(allocation: Allocation, facts: Facts, context: Opening): string {
  const { memory } = context;
  const said = [
    start(allocation, facts, context),
    memory,
    without(context),
    refused(facts),
    supposition(allocation),
  ];
  return `${said.filter(Boolean).join(" ")}\n\n`;
}

function start(
  { basis, currency, total, alternatives, changed }: Allocation,
  facts: Facts,
  { measured, said_earlier, asked }: Opening,
): string {
  const amount = money(changed?.total_before ?? total, currency);
  if (asked.kind === "forecast" && basis !== "measured")
    return `A forecast needs data: what you spent on 14 days or in 3 months, as CSV. Until then I can only say what **${amount} a month**${basis === "stated" ? "" : ", an illustration,"} could become.`;
  if (basis === "illustration")
    return `I found no ${facts.unused.length > 0 ? "monthly spend" : "figures"} of yours, so this is an illustration for **every ${amount} of monthly spend**.`;
  if (measured)
    return `Your data comes to ${period(measured, amount, currency)}: ${qualityOf(measured.usage)}`;
  if (basis === "list prices" || basis === "your rates")
    return `At ${basis} that is about **${amount} a month**.`;
  const open =
    alternatives.length > 0 && asked.kind !== "order"
      ? " I work with a typical split and check two others."
      : "";
  const { left_out } = facts;
  const other = left_out.length > 0 ? ` I left out ${left_out.join(", ")}: nothing is converted.` : "";
  return `${said_earlier ? "As you said earlier in this thread, you" : "You"} spend **${amount} a month**.${open}${other}`;
}

/** What was paid is said before what that makes a month, where it is a guess. */
function period({ usage, summary }: Measured, amount: string, currency: string): string {
  const { days, accepted, priced_rows, fleet } = usage;
  const { total, months } = summary;
  const paid = `${money(total, currency)} in ${days || months.length} ${days > 0 ? "days" : "months"}`;
  if (days > 0 && days < FEW_DAYS) return `**${paid}**, extrapolated ${amount} a month`;
  const moment = fleet.length > 0 && priced_rows === accepted ? " at planning rates, as of one moment" : "";
  return `**${amount} a month**${days > 0 || months.length > 1 ? ` (${paid})` : moment}`;
}

function without({ not }: Opening): string {
  const titles = not.map((each) => lower(LEVERS[each]?.title ?? each));
  return titles.length > 0 ? `Left out, as you said: ${titles.join(", ")}.` : "";
}

function refused({ refused: said, unused }: Facts): string {
  const read =
    said.length > 0
      ? `I could not read ${said.join(", ")} as an amount somebody pays, and left it out. `
      : "";
  return `${read}${unused.length > 0 ? `Not used: ${unused.slice(0, MAX_UNUSED).join(", ")}.` : ""}`.trim();
}

function supposition({ changed, total, currency }: Allocation): string {
  if (changed === undefined) return "";
  const { said, what, before, after, total_before, utilisation } = changed;
  const difference = total - total_before;
  const effect = `${money(Math.abs(difference), currency)} a month ${difference < 0 ? "less" : "more"} (${percent(Math.abs(difference) / total_before)})`;
  const part =
    what === "the bill" ? "" : `${what} goes from ${money(before, currency)} to ${money(after, currency)}, `;
  return `\n\n**With “${said}”** ${part}the bill from ${money(total_before, currency)} to **${money(total, currency)} a month**: ${effect}.${load(utilisation)} What follows is on top of that.`;
}

function load(utilisation: number | undefined): string {
  if (utilisation === undefined) return "";
  return utilisation > 1
    ? ` The same work would need ${percent(utilisation)} of what is left: it does not fit, so drop work or cut less.`
    : ` For the same work the rest then runs at ${percent(utilisation)}.`;
}

/** As it is said within a sentence. */
export function lower(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
