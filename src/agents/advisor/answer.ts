/** The answer as Markdown: an opening that can be said before anything is computed, and the rest. */
import type { Report } from "../../protocol/report.ts";
import type { Allocation } from "./allocation.ts";
import type { Facts } from "./facts/message.ts";
import { LIST_PRICES } from "./ledger.ts";
import { money, moneyRange } from "./money-text.ts";
import { PRICES_AS_OF } from "./prices.ts";
import type { Ranking } from "./tools/rank-recommendations.ts";
import { percent, percents } from "./tools/savings.ts";

export interface Result {
  readonly allocation: Allocation;
  readonly facts: Facts;
  readonly ranking: Ranking;
  readonly report: Report;
}

/** The steps that pay most get a sentence; the report explains them all. */
const MAX_EXPLAINED = 2;

export function opening(
  { basis, currency, total, alternatives }: Allocation,
  facts: Facts,
  quality = "",
): string {
  const { left_out } = facts;
  const amount = money(total, currency);
  if (basis === "illustration")
    return `I found no figures of yours, so this is an illustration for **every ${amount} of monthly spend**.\n\n`;
  if (basis === "measured") return `Your data comes to **${amount} a month**: ${quality}\n\n`;
  if (basis === "list prices") return `At list prices that is about **${amount} a month**.\n\n`;
  const open = alternatives.length > 0 ? " I work with a typical split and check two others." : "";
  const other = left_out.length > 0 ? ` I left out ${left_out.join(", ")}: nothing is converted.` : "";
  return `You spend **${amount} a month**.${open}${other}\n\n`;
}

export function body(result: Result): string {
  const sections = [
    headline(result),
    table(result),
    explained(result),
    splits(result),
    goal(result),
    notes(result.report),
  ];
  return `${sections.filter(Boolean).join("\n\n")}\n`;
}

export function headline({
  ranking,
  allocation: { currency, basis },
}: Pick<Result, "ranking" | "allocation">): string {
  const { total, share, ranked } = ranking;
  if (ranked.length === 0) return "I see no saving that these figures would support.";
  const unit = basis === "illustration" ? "of it" : "a month";
  return `**Realistic saving: ${moneyRange(total, currency)} ${unit} (${percents(share)}).** Each step counts what the steps above it leave.`;
}

function table({ report: { recommendations }, allocation: { currency } }: Result): string {
  const rows = recommendations.map((each, index) => {
    const saving = moneyRange([each.monthly_saving_low, each.monthly_saving_high], currency);
    return `\n| ${index + 1} | ${each.title} | ${saving} | ${each.effort} | ${each.confidence} |`;
  });
  if (rows.length === 0) return "";
  return `| # | Step | Saves a month | Effort | Confidence |\n|---|---|---|---|---|${rows.join("")}`;
}

function explained({ report: { recommendations } }: Result): string {
  return numbered(
    recommendations
      .slice(0, MAX_EXPLAINED)
      .map((each) => `**${each.title}.** ${each.evidence}. ${each.action_steps[0]}`),
  );
}

function splits({ ranking: { alternatives }, allocation: { currency } }: Result): string {
  if (alternatives.length === 0) return "";
  const lines = alternatives.map(
    ({ name, total, share }) => `\n- ${name}: ${moneyRange(total, currency)} (${percents(share)})`,
  );
  return `**If your split is different**, the same steps save${lines.join("")}`;
}

/** Whether a target that was named is in reach. */
function goal({ facts: { target = 0 }, ranking, allocation: { total, currency } }: Result): string {
  const wanted = total - target;
  if (target === 0 || wanted <= 0) return "";
  const [low, high] = ranking.total;
  const reach =
    low >= wanted ? "within reach even at the cautious end" : "within reach if most steps go well";
  const verdict = high >= wanted ? reach : "beyond what these steps give";
  return `**Your goal** means saving ${money(wanted, currency)} a month (${percent(wanted / total)}): ${verdict}.`;
}

function notes({ assumptions, questions }: Report): string {
  const lines = assumptions.map(
    ({ id, text, source }) =>
      `\n- ${id}: ${text}${source === LIST_PRICES ? ` (list prices of ${PRICES_AS_OF})` : ""}.`,
  );
  const asked = questions.length > 0 ? `\n\n**What would sharpen this**\n${numbered(questions)}` : "";
  return lines.length > 0 ? `**Assumptions** (yours are better)${lines.join("")}${asked}` : asked.trim();
}

function numbered(lines: readonly string[]): string {
  return lines.map((line, index) => `${index + 1}. ${line}`).join("\n");
}
