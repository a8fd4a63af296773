/** The final report: recommendations as a table, with the assumptions they rest on. */
import type { Report } from "../client/index.ts";
import { el } from "./dom.ts";
import { moneyRange } from "./format.ts";

type Recommendation = Report["recommendations"][number];

const COLUMNS = ["Recommendation", "Saving per month", "Effort", "Confidence", "Evidence"] as const;

/** @param scope makes the assumptions' anchors unique on the page */
export function renderReport(report: Report, scope: string): HTMLElement {
  return el(
    "section",
    { class: "report", aria: { label: "Report" } },
    el("h3", { text: "Report" }),
    el("p", { class: "summary", text: report.summary }),
    ...findings(report),
    ...recommendations(report, scope),
    ...assumptions(report, scope),
    ...questions(report),
  );
}

function findings({ findings }: Report): HTMLElement[] {
  if (findings.length === 0) return [];
  const items = findings.map(({ title, detail }) =>
    el("li", {}, el("strong", { text: asLead(title) }), document.createTextNode(` ${detail}`)),
  );
  return [el("h4", { text: "Findings" }), el("ul", { class: "findings" }, ...items)];
}

function asLead(title: string): string {
  return /[.:!?]$/.test(title) ? title : `${title}:`;
}

function recommendations(report: Report, scope: string): HTMLElement[] {
  if (report.recommendations.length === 0) return [];
  const head = el("tr", {}, ...COLUMNS.map((text) => column(text)));
  const rows = report.recommendations.map((item) => recommendationRow(item, report, scope));
  const table = el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
  return [el("h4", { text: "Recommendations" }), el("div", { class: "recommendations" }, table)];
}

function column(text: string): HTMLElement {
  const cell = el("th", { text });
  cell.scope = "col";
  return cell;
}

function recommendationRow(item: Recommendation, report: Report, scope: string): HTMLElement {
  const { monthly_saving_low, monthly_saving_high, currency, effort, confidence } = item;
  const title = el("th", { class: "what" }, el("span", { class: "title", text: item.title }), howTo(item));
  title.scope = "row";
  const saving = moneyRange(monthly_saving_low, monthly_saving_high, currency);
  return el(
    "tr",
    {},
    title,
    cell(COLUMNS[1], el("span", { class: "saving", text: saving })),
    cell(COLUMNS[2], level(effort, "effort")),
    cell(COLUMNS[3], level(confidence, "confidence")),
    cell(COLUMNS[4], el("span", { text: item.evidence }), assumptionLinks(item, report, scope)),
  );
}

function howTo({ action_steps, risk }: Recommendation): HTMLElement {
  const steps = action_steps.map((text) => el("li", { text }));
  const warning = risk === "" ? [] : [el("p", { class: "risk", text: `Risk: ${risk}` })];
  return el("details", {}, el("summary", { text: "What to do" }), el("ol", {}, ...steps), ...warning);
}

/** On a narrow screen each cell carries its column's name, because the head row is gone. */
function cell(label: string, ...children: readonly Node[]): HTMLElement {
  return el("td", { data: { label } }, el("div", {}, ...children));
}

function level(value: string, kind: "effort" | "confidence"): HTMLElement {
  return el("span", { class: `level ${kind} ${value}`, text: value });
}

function assumptionLinks(
  { assumption_ids }: Recommendation,
  { assumptions }: Report,
  scope: string,
): HTMLElement {
  const links = assumption_ids.map((id) => {
    const title = assumptions.find((assumption) => assumption.id === id)?.text ?? "";
    return el("a", { class: "chip", text: id, title, href: `#${anchor(scope, id)}` });
  });
  return el("div", { class: "chips" }, ...links);
}

function assumptions({ assumptions }: Report, scope: string): HTMLElement[] {
  if (assumptions.length === 0) return [];
  const items = assumptions.map(({ id, text, source }) =>
    el(
      "li",
      { id: anchor(scope, id), class: "assumption" },
      el("span", { class: "chip", text: id }),
      el("div", {}, el("span", { text }), el("span", { class: "source", text: source })),
    ),
  );
  return [el("h4", { text: "Assumptions" }), el("ul", { class: "assumptions" }, ...items)];
}

function questions({ questions }: Report): HTMLElement[] {
  if (questions.length === 0) return [];
  const items = questions.map((text) => el("li", { text }));
  return [el("h4", { text: "To be more exact, I would ask" }), el("ul", { class: "questions" }, ...items)];
}

function anchor(scope: string, id: string): string {
  return `assumption-${scope}-${id}`;
}
