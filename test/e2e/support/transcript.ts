/** What the server kept of a user's conversation, and whether it is what was said. */
import { expect } from "vitest";
import type { Message } from "../../../src/client/index.ts";
import type { Event } from "../../../src/protocol/events.ts";
import type { Said, Tab } from "./tab.ts";

/** Every message of the default thread, oldest first, over HTTP. */
export async function readBack(url: string, token: string): Promise<Message[]> {
  const messages: Message[] = [];
  for (let before: number | undefined; ; ) {
    const query = before === undefined ? "limit=200" : `limit=200&before=${before}`;
    const response = await fetch(`${url}/v1/threads/main/messages?${query}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    const page = (await response.json()) as { messages: Message[]; next?: number };
    messages.unshift(...page.messages);
    before = page.next;
    if (before === undefined) return messages;
  }
}

/** What was acknowledged is there once, in order; what may have been sent, at most once; and nothing else is. */
export function expectKept(tabs: readonly Tab[], messages: readonly Message[]): void {
  const kept = messages.filter(({ role }) => role === "user");
  const seqs = messages.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
  const said = tabs.flatMap((tab) => tab.said);
  const of = (outcome: Said["outcome"]) => said.filter((one) => one.outcome === outcome);
  expect(of("pending")).toEqual([]);
  const maybe = new Set(of("maybe").map(({ content }) => content));
  const certain = kept.filter(({ content }) => !maybe.has(content));
  const acknowledged = of("acknowledged").sort((one, other) => (one.seq ?? 0) - (other.seq ?? 0));
  expect(certain.map(({ content, seq }) => ({ content, seq }))).toEqual(
    acknowledged.map(({ content, seq }) => ({ content, seq })),
  );
  expect(new Set(kept.map(({ content }) => content)).size).toBe(kept.length);
  for (const tab of tabs) expectInOrder(tab, kept);
}

/** A tab's messages are kept in the order in which they were said. */
function expectInOrder(tab: Tab, kept: readonly Message[]): void {
  const spoken = tab.said.map(({ content }) => content);
  const own = new Set(spoken);
  const there = kept.map(({ content }) => content).filter((content) => own.has(content));
  const present = new Set(there);
  expect(there).toEqual(spoken.filter((content) => present.has(content)));
}

/** The application was handed each event once, in order, without a hole; so is what it saw of each run. */
export function expectGapless(events: readonly Event[]): void {
  const first = events[0]?.seq ?? 0;
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => first + index));
  for (const run of runsOf(events)) {
    if (run[0]?.type !== "agent_started") continue;
    expect(run.map(({ payload }) => "run_seq" in payload && payload.run_seq)).toEqual(run.map((_, i) => i));
    // A run may outlive the tab, but nothing of it comes after its end.
    expect(run.slice(0, -1).map(({ type }) => type)).not.toContain("agent_completed");
  }
}

function runsOf(events: readonly Event[]): Event[][] {
  const runs = Map.groupBy(
    events.filter(({ payload }) => "run_seq" in payload),
    ({ payload }) => ("run_id" in payload ? payload.run_id : undefined),
  );
  return [...runs.values()];
}
