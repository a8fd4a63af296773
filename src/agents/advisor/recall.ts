/** What an answer takes from earlier messages of the thread, in words: nobody should wonder where a figure comes from. */
import { LABELS } from "./buckets.ts";
import type { Facts } from "./facts/message.ts";
import { money } from "./money-text.ts";
import { percent } from "./tools/savings.ts";

/** The spend is named in the first sentence, and there that it was said earlier. */
export function saidEarlier({ total }: Facts, now: Facts): boolean {
  return total !== undefined && now.total === undefined && now.parts.length === 0;
}

/** Empty where nothing earlier is used. */
export function recalled(facts: Facts, now: Facts, data: boolean): string {
  const currency = facts.currency ?? "USD";
  const earlier = [
    data && "your data",
    ...facts.parts
      .filter(({ scope }) => now.parts.every((part) => part.scope !== scope))
      .map(({ scope, amount }) => `${money(amount, currency)} for ${LABELS[scope]}`),
    ...(now.gpus.length === 0 ? facts.gpus.map(({ count, type }) => `${count} × ${type}`) : []),
    facts.percents.utilisation !== undefined &&
      now.percents.utilisation === undefined &&
      `${percent(facts.percents.utilisation)} utilisation`,
    now.models.length === 0 && facts.models.length > 0 && facts.models.join(", "),
    facts.tokens && !now.tokens && facts.tokens.said !== "" && facts.tokens.said,
    facts.target !== undefined && now.target === undefined && `a goal of ${money(facts.target, currency)}`,
  ].filter((each) => typeof each === "string");
  return earlier.length > 0 ? `From earlier in this thread: ${earlier.join(", ")}.` : "";
}
