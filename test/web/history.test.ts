import { describe, expect, test } from "vitest";
import type { Conversation } from "../../src/client/index.ts";
import type { ListedMessage } from "../../src/web/api.ts";
import { History } from "../../src/web/history.ts";
import { message, view } from "./support.ts";

type Answer = readonly ListedMessage[] | undefined;

/** Loads are answered by hand. */
function byHand() {
  const asked: string[] = [];
  const answers: Array<{ give: (messages: Answer) => void; fail: (error: Error) => void }> = [];
  const history = new History((thread_id, through) => {
    asked.push(through === undefined ? thread_id : `${thread_id} through ${through}`);
    return new Promise((give, fail) => answers.push({ give, fail }));
  });
  return { history, asked, answers };
}

const ONE = message("m1", null);
const TWO = message("a2", "m1");
const THREE = message("m3", "a2");

function ids({ messages }: Conversation): string[] {
  return messages.map(({ message_id }) => message_id);
}

describe("what a snapshot leaves out", () => {
  test("[W8] stays shown until it has been loaded, and joins what came meanwhile, in order and once each", async () => {
    const { history, asked, answers } = byHand();
    const other = message("m9", null, { thread_id: "other" });
    history.replaced(view({ messages: [ONE, other] }), "main");
    const loading = history.load(view({}), "main", "a2");
    expect(ids(history.complete(view({ messages: [THREE] })))).toEqual(["m1", "m3"]);
    answers[0]?.give([TWO, THREE]);
    expect([await loading, asked]).toEqual(["more", ["main"]]);
    expect(ids(history.complete(view({ messages: [THREE] })))).toEqual(["a2", "m3"]);
  });

  test("[W2] is loaded once for each thread, with what is not in the view: the steps of its answers", async () => {
    const { history, asked, answers } = byHand();
    const steps = [{ kind: "thinking", step: 0, thought: "hm" }] as const;
    const loading = history.load(view({ messages: [ONE, TWO] }), "main", "a2");
    expect(await history.load(view({}), "main", "a2")).toBe("known");
    answers[0]?.give([ONE, { ...TWO, steps }]);
    expect([await loading, await history.load(view({}), "main", "a2"), asked.length]).toEqual([
      "more",
      "known",
      1,
    ]);
    expect(history.listed("a2")?.steps).toEqual(steps);
  });

  test("[W9] is loaded once more where another tab shows a branch that is not known here", async () => {
    const { history, asked, answers } = byHand();
    const first = history.load(view({}), "main", "m1");
    answers[0]?.give([ONE]);
    await first;
    const second = history.load(view({}), "main", "m3");
    answers[1]?.give([TWO, THREE]);
    expect([await second, await history.load(view({}), "main", "m3"), asked.length]).toEqual([
      "more",
      "known",
      2,
    ]);
  });

  test("[W8] is asked for again after a failure, and only when told", async () => {
    const { history, asked, answers } = byHand();
    const first = history.load(view({}), "main", "a2");
    answers[0]?.fail(new Error("offline"));
    expect([await first, await history.load(view({}), "main", "a2")]).toEqual(["failed", "known"]);
    history.again();
    const second = history.load(view({}), "main", "a2");
    answers[1]?.give([ONE, TWO]);
    expect([await second, asked.length]).toEqual(["more", 2]);
  });

  test("[W8] is not taken from an answer that is older than the latest snapshot", async () => {
    const { history, answers } = byHand();
    const early = history.load(view({}), "main", "a2");
    history.replaced(view({}), "main");
    const late = history.load(view({}), "main", "a2");
    answers[0]?.give([ONE]);
    expect(await early).toBe("known");
    answers[1]?.give([ONE, TWO]);
    expect([await late, ids(history.complete(view({})))]).toEqual(["more", ["m1", "a2"]]);
  });

  test("[W10] is gone with its thread", async () => {
    const { history, answers } = byHand();
    history.replaced(view({ messages: [ONE] }), "main");
    const loading = history.load(view({}), "main", "m1");
    answers[0]?.give(undefined);
    expect([await loading, ids(history.complete(view({})))]).toEqual(["gone", []]);
  });
});

describe("the rating of an answer that a snapshot leaves out", () => {
  const rated = (history: History, conversation = view({})) =>
    history.complete(conversation).messages.map(({ rating }) => rating);

  test("[W11] is the one that was listed, until an event has another", async () => {
    const { history, answers } = byHand();
    const loading = history.load(view({}), "main", "a2");
    answers[0]?.give([ONE, { ...TWO, rating: 1 }]);
    await loading;
    expect(rated(history)).toEqual([undefined, 1]);
    const before = history.complete(view({})).messages[0];
    history.rated({ message_id: "a2", rating: -1 });
    history.rated({ message_id: "a99", rating: -1 });
    expect(rated(history)).toEqual([undefined, -1]);
    expect(history.complete(view({})).messages[0]).toBe(before);
  });

  test("[W11] is not taken back by an answer that was read before the event", async () => {
    const { history, answers } = byHand();
    const loading = history.load(view({}), "main", "a2");
    history.rated({ message_id: "a2", rating: -1 });
    answers[0]?.give([ONE, { ...TWO, rating: 1 }]);
    await loading;
    expect(rated(history)).toEqual([undefined, -1]);
    const finding = history.newest(view({}), "main", "a2");
    answers[1]?.give([{ ...TWO, rating: 1 }]);
    await finding;
    expect(rated(history)).toEqual([undefined, -1]);
  });

  test("[W11] after a snapshot is what the server has, not what was heard before the gap", async () => {
    const { history, answers } = byHand();
    history.rated({ message_id: "a2", rating: -1 });
    history.replaced(view({ messages: [ONE, { ...TWO, rating: -1 }] }), "main");
    expect(rated(history)).toEqual([undefined, -1]);
    const loading = history.load(view({}), "main", "a2");
    answers[0]?.give([ONE, { ...TWO, rating: 1 }]);
    await loading;
    expect(rated(history)).toEqual([undefined, 1]);
  });

  test("[W11] is the view's where the view has the answer", async () => {
    const { history, answers } = byHand();
    const loading = history.load(view({}), "main", "a2");
    answers[0]?.give([ONE, TWO]);
    await loading;
    history.rated({ message_id: "a2", rating: 1 });
    expect(rated(history, view({ messages: [{ ...TWO, rating: -1 }] }))).toEqual([undefined, -1]);
  });
});

describe("the end of another branch", () => {
  test("[W9] is asked for, as only the server knows all that was said there", async () => {
    const { history, asked, answers } = byHand();
    const finding = history.newest(view({ messages: [THREE] }), "main", "m1");
    answers[0]?.give([ONE, TWO]);
    expect([await finding, asked]).toEqual(["m3", ["main through m1"]]);
  });

  test("[W9] is what the page ends with, even if it does not reach back to the message", async () => {
    const { history, answers } = byHand();
    const finding = history.newest(view({}), "main", "m0");
    answers[0]?.give([THREE]);
    expect(await finding).toBe("m3");
  });

  test("[W9] is the newest that is known, where it cannot be asked for", async () => {
    const { history, answers } = byHand();
    const finding = history.newest(view({ messages: [ONE, TWO] }), "main", "m1");
    answers[0]?.fail(new Error("offline"));
    expect(await finding).toBe("a2");
    const nowhere = history.newest(view({}), "main", "m5");
    answers[1]?.give(undefined);
    expect(await nowhere).toBe("m5");
  });
});
