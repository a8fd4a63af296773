/** The answer as Markdown, after its opening. */
import type { Recommendation, Report } from "../../protocol/report.ts";
import type { Allocation } from "./allocation.ts";
import type { Asked } from "./asked.ts";
import { dataLines } from "./data-lines.ts";
import type { Evidence } from "./evidence.ts";
import type { Facts } from "./facts/message.ts";
import { money, moneyRange } from "./money-text.ts";
import { lower, SMALL_BILL } from "./opening.ts";
import type { Candidate } from "./recommend.ts";
import type { Ranking } from "./tools/rank-recommendations.ts";
import { percent, percents, type Range, rounded } from "./tools/savings.ts";

export interface Result {
  readonly allocation: Allocation;
  readonly facts: Facts;
  readonly ranking: Ranking;
  readonly candidates: readonly Candidate[];
  readonly evidence: Evidence;
  readonly asked: Asked;
  readonly report: Report;
}

/** The steps that pay most are told with what can go wrong; the report has it for all. */
const MAX_RISKS = 2;

/** Steps whose break-even or measure is half of what there is to say. */
const NOTED = /training|spot|Self-host/;

/** What fits into a Monday morning. */
const MAX_MONDAY = 3;

export function body(result: Result): string {
  const { kind } = result.asked;
  const sections =
    kind === "assumptions"
      ? [explained(result), notes({ ...result.report, questions: [] })]
      : kind === "reasons"
        ? [findings(result), headline(result), reasons(result), splits(result), notes(result.report)]
        : kind === "order"
          ? [order(result), monday(result), table(result)]
          : [
              findings(result),
              headline(result),
              table(result),
              explained(result),
              monday(result),
              splits(result),
              goal(result),
              notes(result.report),
            ];
  return `${sections.filter(Boolean).join("\n\n")}\n`;
}

export function headline({
  ranking,
  allocation: { currency, basis, total: bill },
}: Pick<Result, "ranking" | "allocation">): string {
  const { total, share, ranked } = ranking;
  if (bill < SMALL_BILL) return "That is too small to work on.";
  if (ranked.length === 0) return "I see no saving that these figures would support.";
  const unit = basis === "illustration" ? "of it" : "a month";
  const each = ranked.length > 1 ? " Each step counts what the steps above it leave." : "";
  return `**Realistic saving: ${about(total, currency)} ${unit} (${percents(share)}).**${each}`;
}

/** What the data shows comes before what to do about it. */
function findings({ evidence, allocation: { currency } }: Result): string {
  return dataLines(evidence, currency)
    .map(([title, detail]) => `- **${title}:** ${detail}.`)
    .join("\n");
}

function table({ report: { recommendations } }: Result): string {
  if (recommendations.length < 2) return "";
  const rows = recommendations.map(
    (each, index) =>
      `\n| ${index + 1} | ${each.title} | ${savingOf(each)} | ${each.effort} | ${each.confidence} |`,
  );
  return `| # | Step | Saves a month | Effort | Confidence |\n|---|---|---|---|---|${rows.join("")}`;
}

function savingOf(each: Recommendation): string {
  return about([each.monthly_saving_low, each.monthly_saving_high], each.currency);
}

/** A sum of estimates knows no more than they do. */
function about([low, high]: Range, currency: string): string {
  return moneyRange([rounded(low), rounded(high)], currency);
}

function explained(result: Result): string {
  const { report, asked } = result;
  return numbered(
    report.recommendations.map((each, index) => {
      const note = asked.kind === "levers" || NOTED.test(each.title) ? noteOf(result, each.title) : "";
      const risk = index < MAX_RISKS ? ` Risk: ${lower(each.risk)}` : "";
      return `**${each.title}.** ${each.evidence}.${note}${risk}`;
    }),
  );
}

/** The arithmetic behind the first steps, and why they come in this order. */
function reasons(result: Result): string {
  const { report } = result;
  const lines = report.recommendations.slice(0, MAX_MONDAY).map((each) => {
    const rests = each.assumption_ids.length > 0 ? ` Rests on ${each.assumption_ids.join(", ")}.` : "";
    return `**${each.title}: ${savingOf(each)}.** ${each.evidence}.${noteOf(result, each.title)}${rests}`;
  });
  if (lines.length === 0) return "";
  const how =
    "They are ordered by middle saving × confidence (high 0.9, medium 0.6, low 0.35) ÷ effort (1 to 3).";
  return `**Why these steps, and why in this order**\n${numbered(lines)}\n\n${how}`;
}

function order({ report: { recommendations }, allocation: { currency } }: Result): string {
  const [first, second] = recommendations;
  if (first === undefined) return "No step saves anything here, so there is none to begin with.";
  const largest = recommendations.toSorted((a, b) => b.monthly_saving_high - a.monthly_saving_high)[0];
  const later =
    largest && largest !== first
      ? ` ${largest.title} saves more (up to ${money(largest.monthly_saving_high, currency)}), but with ${largest.effort} effort and ${largest.confidence} confidence: prepare it, do not begin with it.`
      : "";
  const next = second ? ` Then: ${lower(second.title)}.` : "";
  return `**First: ${lower(first.title)}.** It saves ${savingOf(first)} a month with ${first.effort} effort and ${first.confidence} confidence.${next}${later}`;
}

function noteOf({ candidates }: Result, title: string): string {
  const note = candidates.find((each) => each.title === title)?.note;
  return note ? ` ${note}.` : "";
}

/** The first thing to do for each of the steps that pay most. */
function monday({ report: { recommendations }, evidence }: Result): string {
  const steps = recommendations.flatMap(({ action_steps: [step] }) => step ?? []);
  const first = [...new Set([...urgent(evidence), ...steps])].slice(0, MAX_MONDAY);
  return first.length > 0 ? `**Monday morning**\n${numbered(first)}` : "";
}

/** What the data shows to be waste comes before what is merely likely. */
function urgent({ usage, anomalies, summary }: Evidence): readonly string[] {
  const currency = summary?.currency || "USD";
  const idle = (usage?.fleet ?? []).filter((each) => each.idle > 0);
  const [worst] = anomalies?.anomalies ?? [];
  return [
    ...idle.map(
      ({ type, idle: gpus, idle_cost }) =>
        `Ask who needs the ${gpus} × ${type} that are used under 10 % (${money(idle_cost, currency)} a month); switch off what nobody claims.`,
    ),
    ...(worst
      ? [
          `Find what cost ${money(worst.extra, currency)} more than usual on ${worst.day} (${worst.name}), and set an alert.`,
        ]
      : []),
  ].slice(0, 2);
}

function splits({ ranking: { alternatives }, allocation: { currency } }: Result): string {
  if (alternatives.length === 0) return "";
  const ends = (of: (each: Ranking["alternatives"][number]) => Range): Range => [
    Math.min(...alternatives.map((each) => of(each)[0])),
    Math.max(...alternatives.map((each) => of(each)[1])),
  ];
  const [total, share] = [ends((each) => each.total), ends((each) => each.share)];
  return `**If your split is different**, ${alternatives.map(({ name }) => name).join(" or ")}, the same steps save ${about(total, currency)} (${percents(share)}).`;
}

/** Whether a target that was named is in reach: an amount, or so many percent less. */
function goal({ facts, ranking, allocation: { total, spend, currency, basis } }: Result): string {
  const { target = 0, percents } = facts;
  const { goal: cut } = percents;
  const of = (cut?.scope && cut.scope !== "cloud" && spend[cut.scope]) || total;
  const wanted = target > 0 ? total - target : of * (cut?.share ?? 0);
  if (wanted <= 0 || basis === "illustration") return "";
  const [low, high] = ranking.total;
  const reach =
    low >= wanted ? "within reach even at the cautious end" : "within reach if most steps go well";
  const verdict = high >= wanted ? reach : "beyond what these steps give";
  return `**Your goal** means saving ${money(wanted, currency)} a month (${percent(wanted / total)}): ${verdict}.`;
}

function notes({ assumptions, questions }: Report): string {
  const lines = assumptions.map(({ id, text, source }) => {
    const [dated] = /(?:list prices|GPU rates) of [^:,;]+|GPU rates you gave/.exec(source) ?? [];
    return `\n- ${id}: ${text}${dated ? ` (${dated})` : ""}.`;
  });
  const asked = questions.length > 0 ? `\n\n**What would sharpen this**\n${numbered(questions)}` : "";
  return lines.length > 0 ? `**Assumptions** (yours are better)${lines.join("")}${asked}` : asked.trim();
}

function numbered(lines: readonly string[]): string {
  return lines.map((line, index) => `${index + 1}. ${line}`).join("\n");
}
