import { describe, expect, test } from "vitest";
import { ClientError } from "../../src/client/index.ts";
import { Commands, type CommandsOptions } from "../../src/web/commands.ts";
import { message, view } from "./support.ts";

type Client = CommandsOptions["client"];
type Reply = Awaited<ReturnType<Client["command"]>>;

/** A client whose replies are given by hand, and all that became of it. */
function byHand() {
  const asked: unknown[] = [];
  const told: string[] = [];
  const replies: Array<{ give: (reply: Reply) => void; refuse: (error: Error) => void }> = [];
  const ask = (what: unknown) => {
    asked.push(what);
    return new Promise<any>((give, refuse) => replies.push({ give, refuse }));
  };
  let changes = 0;
  const commands = new Commands({
    client: {
      send: (content, options) => ask({ content, ...options }),
      command: (command) => ask(command),
      cancel: (run_id) => ask({ type: "run_cancel", payload: { run_id } }),
    },
    notice: { show: (text) => told.push(text), clear: () => told.push("") },
    changed: () => {
      changes += 1;
    },
  });
  return { commands, asked, told, replies, changes: () => changes };
}

/** Whatever awaited a reply has gone on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

const REFUSED = new ClientError("not_found", "no such answer");

describe("rating an answer", () => {
  test("[W11] shows it at once, and leaves it to the view once it is stored", async () => {
    const { commands, asked, replies, changes } = byHand();
    const rating = commands.rate({ message_id: "a2", rating: -1, comment: "too vague" });
    expect([commands.ratings.of("a2"), changes()]).toEqual([-1, 1]);
    expect(asked).toEqual([
      { type: "feedback", payload: { message_id: "a2", rating: -1, comment: "too vague" } },
    ]);
    replies[0]?.give({ seq: 9, duplicate: false });
    expect([await rating, changes()]).toEqual([true, 2]);
    commands.ratings.settle(view({ last_seq: 9 }));
    expect(commands.ratings.of("a2")).toBeUndefined();
  });

  test("[W11] takes it back where it is refused, and says why", async () => {
    const { commands, told, replies } = byHand();
    const rating = commands.rate({ message_id: "a2", rating: 1 });
    replies[0]?.refuse(REFUSED);
    expect([await rating, commands.ratings.of("a2")]).toEqual([false, undefined]);
    expect(told.at(-1)).toBe("What you think of the answer was not taken: no such answer.");
  });

  test("[W11] stands by the last word where an earlier one is refused", async () => {
    const { commands, replies } = byHand();
    const ratings = [
      commands.rate({ message_id: "a2", rating: 1 }),
      commands.rate({ message_id: "a2", rating: -1 }),
    ];
    replies[0]?.refuse(new Error("a bug"));
    replies[1]?.give({ seq: 9, duplicate: false });
    expect([await Promise.all(ratings), commands.ratings.of("a2")]).toEqual([[false, true], -1]);
  });
});

describe("answering what a run waits for", () => {
  test("[W13] sends the verdict, and leaves the rest to the run", async () => {
    const { commands, asked, told, replies, changes } = byHand();
    const answering = commands.answer("w1", "denied");
    expect(asked).toEqual([{ type: "run_resume", payload: { wait_id: "w1", decision: "denied" } }]);
    expect([commands.answers.given.get("w1"), changes()]).toEqual([{ verdict: "denied" }, 1]);
    replies[0]?.give({ seq: 9, duplicate: false });
    await answering;
    expect(commands.answers.given.get("w1")).toEqual({ verdict: "denied" });
    expect(told).toEqual([]);
  });

  test("[W14] sends one answer only, whatever is pressed while it is on its way or was taken", async () => {
    const { commands, asked, replies } = byHand();
    const answering = commands.answer("w1", "approved");
    await commands.answer("w1", "denied");
    replies[0]?.give({ seq: 9, duplicate: false });
    await answering;
    await commands.answer("w1", "approved");
    expect(asked).toHaveLength(1);
  });

  test.each(["conflict", "not_found"] as const)(
    "[W14] is over for good where it is refused as %s",
    async (code) => {
      const { commands, asked, told, replies, changes } = byHand();
      const answering = commands.answer("w1", "approved");
      replies[0]?.refuse(new ClientError(code, "this was answered already, or its time is over"));
      await answering;
      expect(commands.answers.given.get("w1")).toMatchObject({ verdict: "approved", late: true });
      expect(commands.answers.given.get("w1")?.problem).toMatch(/^Too late: /);
      await commands.answer("w1", "approved");
      expect([asked.length, changes(), told]).toEqual([1, 2, []]);
    },
  );

  test.each<[string, Error]>([
    ["Your answer was not taken: not allowed.", new ClientError("forbidden", "not allowed")],
    [
      "Your answer may not have been taken: stopped.",
      new ClientError("stopped", "stopped", { maybe_sent: true }),
    ],
    ["Your answer was not sent: something went wrong.", new Error("a bug")],
  ])("[W14] can be given again: %s", async (problem, error) => {
    const { commands, asked, replies } = byHand();
    const answering = commands.answer("w1", "approved");
    const before = commands.answers.given;
    replies[0]?.refuse(error);
    await answering;
    expect(commands.answers.given.get("w1")).toEqual({ verdict: "approved", problem, late: false });
    expect(commands.answers.given).not.toBe(before);
    void commands.answer("w1", "denied");
    expect(commands.answers.given.get("w1")).toEqual({ verdict: "denied" });
    expect(asked).toHaveLength(2);
  });
});

describe("what is said", () => {
  test("[W7] is on its way until the log has it, in the place it was written for", async () => {
    const { commands, asked, replies } = byHand();
    commands.say("main", "hello");
    commands.edit(message("m3", "a2"), "better");
    expect(commands.pending.of("main").map(({ content }) => content)).toEqual(["hello", "better"]);
    expect(asked).toEqual([
      { content: "hello", thread_id: "main" },
      { content: "better", thread_id: "main", parent_message_id: "a2" },
    ]);
    replies[0]?.give({ seq: 5, message_id: "m5", thread_id: "main", duplicate: false });
    await settled();
    expect(commands.pending.of("main")[0]?.message_id).toBe("m5");
    commands.pending.settle(view({ messages: [message("m5", null)] }));
    expect(commands.pending.of("main").map(({ content }) => content)).toEqual(["better"]);
  });

  test("[W7] stays with its problem where it is refused, and goes the same way again", async () => {
    const { commands, asked, replies } = byHand();
    commands.edit(message("m3", null), "too much");
    replies[0]?.refuse(new ClientError("too_large", "too large"));
    await settled();
    expect(commands.pending.of("main")[0]?.problem).toBe("Not sent: too large.");
    const [failed] = commands.pending.of("main");
    if (failed !== undefined) commands.retry(failed);
    expect(commands.pending.of("main")).toMatchObject([{ content: "too much", parent_message_id: null }]);
    expect(commands.pending.of("main")[0]?.problem).toBeUndefined();
    expect(asked[1]).toEqual(asked[0]);
  });
});

describe("a refused command", () => {
  test.each<[string, (commands: Commands) => void]>([
    ["The chat could not be renamed", (to) => to.renameThread("t", "new")],
    ["The chat could not be deleted", (to) => to.deleteThread("t")],
    ["A new answer could not be asked for", (to) => to.regenerate("a2")],
    ["The other version cannot be shown", (to) => to.showBranch("t", "a2")],
  ])("[W9] [W10] is told: %s", async (problem, ask) => {
    const { commands, told, replies } = byHand();
    ask(commands);
    expect(told).toEqual([""]);
    replies[0]?.refuse(REFUSED);
    await settled();
    expect(told.at(-1)).toBe(`${problem}: no such answer.`);
  });

  test("[W11] is not, where the chat was closed and another may be shown by now", async () => {
    const { commands, told, replies } = byHand();
    const rating = commands.rate({ message_id: "a2", rating: 1 });
    replies[0]?.refuse(new ClientError("closed", "stopped: closed"));
    expect([await rating, told]).toEqual([false, [""]]);
  });

  test("[W3] is not, where a run that is to be stopped has just ended", async () => {
    const { commands, told, replies } = byHand();
    commands.stopRun("r1");
    replies[0]?.refuse(REFUSED);
    await settled();
    expect(told).toEqual([]);
  });
});
