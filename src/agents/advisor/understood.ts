/** What was understood, said back in one sentence, so that a misreading shows at once. */
import { LABELS } from "./buckets.ts";
import { type Facts, middle } from "./facts/message.ts";
import { money } from "./money-text.ts";
import { percent } from "./tools/savings.ts";

/** Empty where there are no figures. */
export function understood(facts: Facts): string {
  const { total, parts, currency = "USD", gpus, percents, models, unpriced, tokens, target, goal } = facts;
  const { utilisation, shares } = percents;
  const said = [
    total && `${total.said} read as ${money(middle(total), currency)} a month`,
    ...parts.map(({ scope, amount }) => `${money(amount, currency)} a month on ${LABELS[scope]}`),
    ...gpus.map(({ count, type }) => `${count} × ${type}`),
    utilisation !== undefined && `${percent(utilisation)} utilisation`,
    ...shares.map(({ share, model, scope = "cloud" }) => `${percent(share)} ${model ?? LABELS[scope]}`),
    tokens && `${tokens.said}${tokens.period_stated ? "" : " (read as per month)"}`,
    ...models,
    ...unpriced.map((model) => `${model} (no price known)`),
    target && `target ${money(target, currency)} a month`,
    goal && `save ${money(goal, currency)} a month`,
    percents.goal && `save ${percent(percents.goal)}`,
  ];
  return said.filter(Boolean).join("; ");
}
