import { describe, expect, test } from "vitest";
import type { Conversation } from "../../src/client/index.ts";
import { firstToStop, type Shown, type Turn, turnsOf } from "../../src/web/turns.ts";
import { message, run, view } from "./support.ts";

function shown(conversation: Conversation, more: Partial<Shown> = {}): Turn[] {
  return turnsOf(conversation, { thread_id: "main", pending: [], ...more });
}

/** Questions by their id, runs by theirs, with the answer behind a colon; what is on its way by its text. */
function names(turns: readonly Turn[]): string[] {
  return turns.map((turn) => {
    if (turn.kind === "question") return turn.message.message_id;
    return turn.kind === "run"
      ? `${turn.run?.run_id ?? "?"}:${turn.answer?.message_id ?? "…"}`
      : turn.pending.content;
  });
}

const ASKED = message("m1", null, { run_id: "r1" });
const ANSWERED = message("a2", "m1", { run_id: "r1" });
const AGAIN = message("a3", "m1", { run_id: "r3" });

describe("turns", () => {
  test("[W9] are those of the branch that is shown, in its order", () => {
    const edited = message("m4", null, { run_id: "r4" });
    const answer = message("a5", "m4", { run_id: "r4" });
    const conversation = view({ messages: [ASKED, ANSWERED, edited, answer] });
    expect(names(shown(conversation, { head: "a5" }))).toEqual(["m4", "?:a5"]);
    expect(names(shown(conversation, { head: "a2" }))).toEqual(["m1", "?:a2"]);
    const [question] = shown(conversation, { head: "a2" });
    expect(question).toMatchObject({ versions: { ids: ["m1", "m4"], index: 0 } });
  });

  test("[W9] show of several answers the one on the branch", () => {
    const runs = [run("r1", "m1", { status: "succeeded" }), run("r3", "m1", { status: "succeeded" })];
    const conversation = view({ messages: [ASKED, ANSWERED, AGAIN], runs });
    expect(names(shown(conversation, { head: "a3" }))).toEqual(["m1", "r3:a3"]);
    expect(names(shown(conversation, { head: "a2" }))).toEqual(["m1", "r1:a2"]);
  });

  test("[W9] show the run at work where its question ends the branch, and nowhere else", () => {
    const runs = [run("r1", "m1", { status: "succeeded" }), run("r3", "m1")];
    const conversation = view({ messages: [ASKED, ANSWERED], runs });
    expect(names(shown(conversation, { head: "m1" }))).toEqual(["m1", "r3:…"]);
    expect(shown(conversation, { head: "m1" })[1]).toMatchObject({ versions: { ids: ["a2"], index: 1 } });
    expect(names(shown(conversation, { head: "a2" }))).toEqual(["m1", "r1:a2"]);
  });

  test("[W9] put an answer behind its question, though more was said before it came", () => {
    const second = message("m2", "m1", { run_id: "r2" });
    const late = [message("a3", "m2", { run_id: "r1" }), message("a4", "a3", { run_id: "r2" })];
    const conversation = view({ messages: [ASKED, second, ...late] });
    expect(names(shown(conversation, { head: "a4" }))).toEqual(["m1", "?:a3", "m2", "?:a4"]);
  });

  test("[W9] have as versions beside a run at work what is on other branches, not a late answer before it", () => {
    const second = message("m2", "m1", { run_id: "r2" });
    const late = message("a3", "m2", { run_id: "r1" });
    const working = [run("r2", "m2")];
    const conversation = view({ messages: [ASKED, second, late], runs: working });
    expect(shown(conversation, { head: "a3" }).at(-1)).toMatchObject({
      run: working[0],
      versions: undefined,
    });
    const again = shown(conversation, { head: "m2" }).at(-1);
    expect(again).toMatchObject({ run: working[0], versions: { ids: ["a3"], index: 1 } });
  });

  test("[W9] end with the newest that is known, where the end of the branch is not", () => {
    expect(names(shown(view({ messages: [ASKED, ANSWERED] }), { head: "a99" }))).toEqual(["m1", "?:a2"]);
    expect(shown(view({}), { head: "a99" })).toEqual([]);
  });

  test("[W9] show what replaces a question in its place, until it could not be sent", () => {
    const pending = { key: "1", thread_id: "main", content: "edited", parent_message_id: null };
    const conversation = view({ messages: [ASKED, ANSWERED] });
    expect(names(shown(conversation, { head: "a2", pending: [pending] }))).toEqual(["edited"]);
    const failed = [{ ...pending, problem: "Not sent." }];
    expect(names(shown(conversation, { head: "a2", pending: failed }))).toEqual(["m1", "?:a2", "edited"]);
  });

  test("[W9] show a run whose question is not known, as long as it works", () => {
    const runs = [run("r7", "m7"), run("r8", "m8", { status: "failed" }), run("r9", "", { thread_id: "b" })];
    expect(names(shown(view({ runs })))).toEqual(["r7:…"]);
  });

  test("[W11] are rated as was last said here, or else as the view has it; what is being written is not", () => {
    const conversation = view({
      messages: [ASKED, { ...ANSWERED, rating: 1 }, message("m4", "a2", { run_id: "r4" })],
      runs: [run("r4", "m4")],
    });
    const ratings = (rated?: Shown["rated"]) =>
      shown(conversation, { head: "m4", ...(rated && { rated }) }).flatMap((turn) =>
        turn.kind === "run" ? [turn.rating] : [],
      );
    expect(ratings()).toEqual([1, undefined]);
    expect(ratings((id) => (id === "a2" ? -1 : undefined))).toEqual([-1, undefined]);
    expect(ratings(() => undefined)).toEqual([1, undefined]);
  });

  test("[W2] have the steps that were listed where those of the run are gone", () => {
    const steps = [{ kind: "thinking", step: 0, thought: "hm" }] as const;
    const listed = (id: string) => (id === "a2" ? { ...ANSWERED, steps } : undefined);
    const conversation = view({ messages: [ASKED, ANSWERED] });
    expect(shown(conversation, { head: "a2", listed })[1]).toMatchObject({ steps });
    const live = [{ kind: "thinking", step: 0, thought: "live" }] as const;
    const running = { ...conversation, runs: [run("r1", "m1", { steps: live, status: "succeeded" })] };
    expect(shown(running, { head: "a2", listed })[1]).toMatchObject({ steps: live });
  });

  test("[W13] [W16] have what is told beside the view, and what the server listed of the cost", () => {
    const note = { waits: [], progress: new Map(), usage: [{ total_tokens: 1 }] };
    const answers = new Map([["w1", { verdict: "approved" }]] as const);
    const listed = () => ({ ...ANSWERED, model_calls: [{ total_tokens: 2 }] });
    const noted = (run_id: string | undefined) => (run_id === "r1" ? note : undefined);
    const conversation = view({ messages: [ASKED, ANSWERED] });
    const ended = shown(conversation, { head: "a2", listed, noted, answers })[1];
    expect(ended).toMatchObject({ note, answers, usage: [{ total_tokens: 1 }] });
    const reloaded = shown(conversation, { head: "a2", listed })[1];
    expect(reloaded).toMatchObject({ note: undefined, usage: [{ total_tokens: 2 }] });
    const working = view({ messages: [ASKED], runs: [run("r1", "m1", { status: "waiting" })] });
    expect(shown(working, { head: "m1", noted, answers })[1]).toMatchObject({
      note,
      answers,
      answer: undefined,
    });
  });
});

describe("stopping", () => {
  test("[W15] ends what works before what waits, and what has ended not at all", () => {
    const [waits, works] = [run("r1", "m1", { status: "waiting" }), run("r2", "m2")];
    const ended = run("r3", "m3", { status: "succeeded" });
    const queued = run("r4", "m4", { status: "queued" });
    expect(firstToStop([ended, waits, works])).toBe(works);
    expect(firstToStop([waits, queued])).toBe(queued);
    expect(firstToStop([ended, waits])).toBe(waits);
    expect(firstToStop([ended])).toBeUndefined();
  });
});
