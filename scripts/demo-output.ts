/** How the demo speaks: coloured on a terminal, plain lines elsewhere, or one JSON object per line. */
import { styleText } from "node:util";
import type { Report, Run } from "../src/client/index.ts";
import type { Event } from "../src/protocol/events.ts";
import type { PartialResult } from "../src/protocol/stream.ts";

export interface Verdict {
  readonly events: number;
  /** Every event once and in order, over the cut. */
  readonly exact: boolean;
  readonly status: string;
  readonly duration_ms: number;
}

export interface Output {
  note(text: string): void;
  /** Times are counted from here. */
  question(text: string): void;
  event(event: Event): void;
  text(part: PartialResult["payload"]): void;
  report(run: Run | undefined): void;
  verdict(verdict: Verdict): void;
  failed(message: string): void;
}

type Style = Parameters<typeof styleText>[0];

export function output(json: boolean): Output {
  return json ? jsonOutput() : new PlainOutput(process.stdout.isTTY === true);
}

function jsonOutput(): Output {
  let asked_at = performance.now();
  const line = (type: string, rest: object) =>
    write(JSON.stringify({ t_ms: Math.round(performance.now() - asked_at), type, ...rest }));
  return {
    note: (text) => line("note", { text }),
    question: (text) => {
      asked_at = performance.now();
      line("question", { text });
    },
    event: ({ type, ...rest }) => line(type, rest),
    text: (payload) => line("partial_result", { payload }),
    report: (run) => line("report", { report: run?.report }),
    verdict: (verdict) => line("verdict", verdict),
    failed: (message) => line("failed", { message }),
  };
}

class PlainOutput implements Output {
  readonly #coloured: boolean;
  #asked_at = performance.now();
  /** Pieces of text since the last event: told as one line. */
  #parts = 0;
  #characters = 0;

  constructor(coloured: boolean) {
    this.#coloured = coloured;
  }

  note(text: string): void {
    this.#flushText();
    write(this.#paint("yellow", `${" ".repeat(9)}  — ${text} —`));
  }

  question(text: string): void {
    this.#asked_at = performance.now();
    write(`\n${this.#paint("bold", text)}\n`);
  }

  event(event: Event): void {
    this.#flushText();
    this.#line(event.type, `${this.#paint("gray", `seq ${event.seq}`)}  ${detailOf(event)}`, "cyan");
  }

  text(part: PartialResult["payload"]): void {
    this.#parts += 1;
    this.#characters += "delta" in part ? part.delta.length : part.text.length;
  }

  report(run: Run | undefined): void {
    if (run?.report === undefined) write(`\n${run?.text ?? ""}\n`);
    else for (const line of reportLines(run.report, (style, text) => this.#paint(style, text))) write(line);
  }

  verdict({ events, exact, status, duration_ms }: Verdict): void {
    const delivery = exact ? "none missing, none doubled" : "NOT each exactly once";
    const text = `\n${events} events, ${delivery}; run ${status} in ${duration_ms} ms.`;
    write(this.#paint(exact ? "green" : "red", text));
  }

  failed(message: string): void {
    process.stderr.write(`${this.#paint("red", `The demo failed: ${message}`)}\n`);
  }

  #flushText(): void {
    if (this.#parts > 0) {
      const text = `×${this.#parts}, ${this.#characters} characters`;
      this.#line("partial_result", this.#paint("gray", text), "magenta");
    }
    this.#parts = 0;
    this.#characters = 0;
  }

  #line(label: string, detail: string, style: Style): void {
    const at = `${Math.round(performance.now() - this.#asked_at)} ms`.padStart(9);
    write(`${this.#paint("gray", at)}  ${this.#paint(style, label.padEnd(16))} ${detail}`);
  }

  #paint(style: Style, text: string): string {
    return this.#coloured ? styleText(style, text, { validateStream: false }) : text;
  }
}

function detailOf({ type, payload }: Event): string {
  switch (type) {
    case "user_message":
      return `${payload.message_id} in ${payload.thread_id}`;
    case "agent_started":
      return `${payload.agent_name} ${payload.agent_version}`;
    case "agent_thinking":
      return payload.thought;
    case "tool_executing":
      return `${payload.tool_name} ${short(payload.args)}`;
    case "tool_completed":
      return `${payload.tool_name} ${payload.status} in ${payload.duration_ms} ms ${short(payload.error ?? payload.result)}`;
    case "run_waiting":
      return `${payload.kind} until ${payload.expires_at}`;
    case "run_resumed":
      return payload.decision;
    case "final_report":
      return `${payload.report.recommendations.length} recommendations`;
    case "agent_completed":
      return `${payload.status}, ${payload.content.length} characters`;
    case "thread_created":
    case "thread_updated":
    case "thread_deleted":
      return payload.thread_id;
    case "feedback_recorded":
      return `${payload.message_id} ${payload.rating}`;
    case "notification":
      return payload.topic;
  }
}

function reportLines(report: Report, paint: (style: Style, text: string) => string): string[] {
  const { summary, findings, recommendations, assumptions, questions } = report;
  return [
    `\n${paint("bold", "Report")}\n${summary}\n`,
    ...findings.map(({ title, detail }) => `- ${paint("bold", title)}: ${detail}`),
    ...recommendations.flatMap((item, index) => [
      `\n${paint("bold", `${index + 1}. ${item.title}`)}`,
      `   saves ${money(item.monthly_saving_low)}–${money(item.monthly_saving_high)} ${item.currency} a month, effort ${item.effort}, confidence ${item.confidence}`,
      ...item.action_steps.map((step) => `   · ${step}`),
      paint("gray", `   ${item.evidence} [${item.assumption_ids.join(", ")}]`),
    ]),
    `\n${paint("bold", "Assumptions")}`,
    ...assumptions.map(({ id, text, source }) => `${id}  ${text} ${paint("gray", `(${source})`)}`),
    ...(questions.length === 0
      ? []
      : [`\n${paint("bold", "Questions")}`, ...questions.map((text) => `? ${text}`)]),
  ];
}

function money(amount: number): string {
  return Math.round(amount).toLocaleString("en-US");
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > 90 ? `${text.slice(0, 89)}…` : text;
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
