/** Streams of AG-UI agents, judged by the real clients; and what is made of them, judged by the session's own rules. */
import { HttpAgent } from "@ag-ui/client";
import { EventSchema } from "@ag-ui/core/schemas";
import { EventSchemas, HttpAgent as HttpAgent0 } from "ag-ui-client-0";
import { expect } from "vitest";
import { agUiEvent } from "../../../src/agents/remote/ag-ui-events.ts";
import type { SoFar } from "../../../src/agents/remote/so-far.ts";
import { Translation } from "../../../src/agents/remote/translation.ts";
import { type Fed, type FedEvent, feeding, MAX_FED } from "../../../src/protocol/feeding.ts";
import { Course } from "../../../src/session/course.ts";

export type Sent = { readonly type: string } & Readonly<Record<string, unknown>>;
export type Version = "1.0" | "0.0";
export const BOTH: readonly Version[] = ["1.0", "0.0"];

export const started: Sent = { type: "RUN_STARTED", threadId: "t", runId: "r" };
export const done: Sent = { type: "RUN_FINISHED", threadId: "t", runId: "r" };

export function message(messageId: string, ...deltas: readonly string[]): Sent[] {
  return [
    { type: "TEXT_MESSAGE_START", messageId, role: "assistant" },
    ...deltas.map((delta) => ({ type: "TEXT_MESSAGE_CONTENT", messageId, delta })),
    { type: "TEXT_MESSAGE_END", messageId },
  ];
}

export function call(toolCallId: string, toolCallName: string, ...deltas: readonly string[]): Sent[] {
  return [
    { type: "TOOL_CALL_START", toolCallId, toolCallName },
    ...deltas.map((delta) => ({ type: "TOOL_CALL_ARGS", toolCallId, delta })),
    { type: "TOOL_CALL_END", toolCallId },
  ];
}

export function result(toolCallId: string, content: unknown): Sent {
  return { type: "TOOL_CALL_RESULT", messageId: `result-${toolCallId}`, toolCallId, content };
}

export function sse(events: readonly Sent[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
}

/** What the real client makes of a stream: the texts of its answers. Throws where the stream is not legal. */
export async function asTheClient(version: Version, events: readonly Sent[]): Promise<string[]> {
  for (const event of events) {
    if (version === "1.0") EventSchema.parse(event);
    else EventSchemas.parse(event);
  }
  const headers = { "Content-Type": "text/event-stream" };
  const fetch = () => Promise.resolve(new Response(sse(events), { headers }));
  const Agent = version === "1.0" ? HttpAgent : HttpAgent0;
  const agent = new Agent({ url: "https://agent.test", threadId: "t", fetch });
  await agent.runAgent({ runId: "r" });
  const answers = agent.messages.filter(({ role }) => role === "assistant");
  return answers.map(({ content }) => content).filter((content) => typeof content === "string");
}

/** Time passes by a second with each event. */
export function translate(events: readonly Sent[], translation = new Translation()): Fed[] {
  let now = 0;
  return events.flatMap((sent) => {
    now += 1_000;
    const event = agUiEvent(JSON.stringify(sent));
    return event === undefined ? [] : translation.add(event, now);
  });
}

/** The same, and the end of the stream; of one that asks something, the end of the one that follows its answer. */
export function translateAll(events: readonly Sent[]): Fed[] {
  const translation = new Translation();
  const fed = translate(events, translation);
  const rest = translation.asking === undefined ? translation : new Translation(soFarOf(fed));
  return [...fed, ...rest.cut(0)];
}

/** Where whoever goes on from there begins. */
export function soFarOf(fed: readonly Fed[]): SoFar {
  const course = Course.of([beginning]);
  for (const event of eventsOf(fed)) course.advance(event, "events", () => undefined);
  return course.soFar(textOf(fed), 1);
}

export function eventsOf(fed: readonly Fed[]): FedEvent[] {
  return fed.filter((one) => one.type !== "partial_result");
}

export function only<T extends FedEvent["type"]>(fed: readonly Fed[], type: T) {
  return eventsOf(fed).flatMap((one) => (one.type === type ? [one.payload as any] : []));
}

export function textOf(fed: readonly Fed[]): string {
  return fed.reduce((text, one) => {
    if (one.type !== "partial_result" || !("delta" in one.payload)) return text;
    expect(one.payload.offset).toBe(text.length);
    return text + one.payload.delta;
  }, "");
}

export function ending(fed: readonly Fed[]): any {
  return only(fed, "agent_completed")[0];
}

/** What the session would refuse: schemas, numbers, order; and that the answer is what was streamed. */
export function expectLegal(fed: readonly Fed[]): void {
  for (let from = 0; from < fed.length; from += MAX_FED) {
    const batch = fed.slice(from, from + MAX_FED);
    expect(feeding.parse({ events: batch })).toEqual({ events: batch });
  }
  const course = Course.of([beginning]);
  for (const event of eventsOf(fed))
    expect(course.advance(event, "events", () => undefined)).toEqual({ ok: true, value: true });
  expect(only(fed, "agent_completed")).toHaveLength(1);
  expect(fed.at(-1)?.type).toBe("agent_completed");
  expect(textOf(fed)).toBe(ending(fed).content);
}

const beginning = {
  type: "agent_started",
  seq: 1,
  frame: JSON.stringify({
    type: "agent_started",
    seq: 1,
    payload: {
      run_id: "r",
      thread_id: "t",
      agent_name: "remote",
      agent_version: "",
      message_id: "m",
      run_seq: 0,
      timestamp: "2026-01-01T00:00:00.000Z",
    },
  }),
};
