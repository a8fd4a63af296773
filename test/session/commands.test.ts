import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { connect, newUser, stubOf, type TestClient } from "../support/client.ts";
import { probe } from "../support/probe.ts";

const QUIET = { respond: false };

function burst(clients: readonly TestClient[], count: number, first = 1): void {
  for (let i = first; i < first + count; i += 1)
    clients[i % clients.length]?.say(`c${i}`, `message ${i}`, QUIET);
}

async function replies(client: TestClient, count: number) {
  const found = [];
  while (found.length < count) found.push(await client.next(({ reply_to }) => reply_to !== undefined));
  return found;
}

describe("the inbox", () => {
  test("[Q2] commits what comes alone at once, and what comes together as one group, in order of arrival", async () => {
    const sub = newUser();
    const [a, b] = [await connect(sub), await connect(sub)];
    let commits = 0;
    await runInDurableObject(await stubOf(sub), (_, { storage }) => {
      const original = storage.transactionSync;
      storage.transactionSync = (work) => {
        commits += 1;
        return original.call(storage, work) as ReturnType<typeof work>;
      };
    });
    burst([b, a], 40);
    await Promise.all([replies(a, 20), replies(b, 20)]);
    await Promise.all([a, b].map((client) => client.next(({ seq }) => seq === 40)));
    // Nobody could know that the first would not stay alone.
    expect(commits).toBe(2);
    burst([b, a], 40, 41);
    await Promise.all([a, b].map((client) => client.next(({ seq }) => seq === 80)));
    expect(commits).toBe(3);
    expect(a.of("user_message").map(({ payload }) => payload.content)).toEqual(
      Array.from({ length: 80 }, (_, i) => `message ${i + 1}`),
    );
    expect(b.seqs()).toEqual(a.seqs());
  });

  test("[Q3] a command that throws in the middle of a group harms none of the others and leaves no gap", async () => {
    const sub = newUser();
    const [a, b] = [await connect(sub), await connect(sub)];
    // The first is committed at once. The twentieth throws in the group of the others, and again when it is tried alone.
    probe.throwAtIdCalls([20, 39]);
    burst([b, a], 40);
    const answers = [...(await replies(a, 20)), ...(await replies(b, 20))];
    probe.throwAtIdCalls([]);
    const errors = answers.filter(({ type }) => type === "error");
    expect(errors).toMatchObject([
      { reply_to: "c20", payload: { code: "internal", retryable: true, fatal: false } },
    ]);
    await a.next(({ seq }) => seq === 39);
    expect(a.seqs()).toEqual(Array.from({ length: 39 }, (_, i) => i + 1));
    expect(a.of("user_message").map(({ payload }) => payload.id)).not.toContain("c20");
    a.say("c20", "message 20", QUIET);
    expect((await a.next("message_ack")).payload).toMatchObject({ seq: 40, duplicate: false });
  });

  test("[Q4] sends the reply before the events it is about", async () => {
    const client = await connect(newUser());
    burst([client], 10);
    await client.next(({ seq }) => seq === 10);
    const events = client.of("user_message");
    expect(events).toHaveLength(10);
    for (const event of events) {
      const reply = client.frames.findIndex(({ reply_to }) => reply_to === event.payload.id);
      expect(reply).toBeGreaterThan(-1);
      expect(reply).toBeLessThan(client.frames.indexOf(event));
    }
  });

  test("[Q5] the same id again has one effect and gets the same reply, marked as a duplicate", async () => {
    const sub = newUser();
    const [a, b] = [await connect(sub), await connect(sub)];
    a.say("same", "once", QUIET);
    b.say("same", "once", QUIET);
    const [first, second] = [await a.next("message_ack"), await b.next("message_ack")];
    a.say("same", "once", QUIET);
    const third = await a.next("message_ack");
    expect(first.payload.duplicate).toBe(false);
    expect(second.payload).toEqual({ ...first.payload, duplicate: true });
    expect(third.payload).toEqual({ ...first.payload, duplicate: true });
    b.say("next", "after", QUIET);
    expect((await b.next("message_ack")).payload.seq).toBe(2);
  });

  test("[Q5] two spellings of one body are the same command", async () => {
    const client = await connect(newUser());
    client.send(
      '{"type":"user_message","id":"s","payload":{"content":"x","respond":false,"data":{"a":1,"b":2}}}',
    );
    client.send(
      '{"id":"s","payload":{"data":{"b":2,"a":1},"respond":false,"content":"x"},"type":"user_message"}',
    );
    expect((await client.next("message_ack")).payload.duplicate).toBe(false);
    expect((await client.next("message_ack")).payload.duplicate).toBe(true);
  });

  test("[Q6] the same id with another body is a conflict, and the first wins", async () => {
    const client = await connect(newUser());
    client.say("same", "first", QUIET);
    client.say("same", "second", QUIET);
    await client.next("message_ack");
    expect(await client.next("error")).toMatchObject({
      reply_to: "same",
      payload: { code: "id_conflict", field: "id", retryable: false },
    });
    client.say("other", "third", QUIET);
    await client.next("message_ack");
    expect(client.of("user_message").map(({ payload }) => payload.content)).toEqual(["first"]);
  });

  test("[Q6] the same id for another kind of command is a conflict", async () => {
    const client = await connect(newUser());
    client.say("same", "first", QUIET);
    client.send({ type: "run_cancel", id: "same", payload: { run_id: "r_1_x" } });
    expect((await client.next("error")).payload.code).toBe("id_conflict");
  });

  test("[Q7] a refused command writes nothing, so its id can be used again", async () => {
    const client = await connect(newUser());
    client.say("id", "to nowhere", { ...QUIET, thread_id: "nowhere" });
    expect((await client.next("error")).payload.code).toBe("not_found");
    client.say("id", "to the default thread", QUIET);
    expect((await client.next("message_ack")).payload).toMatchObject({ seq: 1, thread_id: "main" });
  });

  test("[Q8] every tab gets the message, the sender too, with the id it was sent under", async () => {
    const sub = newUser();
    const [a, b] = [await connect(sub, { client_id: "tab-a" }), await connect(sub)];
    a.say("hello", "hi", QUIET);
    for (const tab of [a, b]) {
      expect((await tab.next("user_message")).payload).toMatchObject({ client_id: "tab-a", id: "hello" });
    }
  });
});

describe("threads", () => {
  test("[T1] a client-made UUID makes a thread, titled after its first message", async () => {
    const client = await connect(newUser());
    const thread_id = crypto.randomUUID();
    client.say("a", "First line\nsecond line", { ...QUIET, thread_id });
    expect((await client.next("user_message")).payload).toMatchObject({
      thread_id,
      thread: { title: "First line" },
      parent_message_id: null,
    });
    client.say("b", "again", { ...QUIET, thread_id });
    const second = await client.next("user_message");
    expect(second.payload.thread).toBeUndefined();
    expect(second.payload.parent_message_id).toMatch(/^m_1_/);
  });

  test("[T2] an id that is neither known nor a UUID is not found", async () => {
    const client = await connect(newUser());
    for (const [id, thread_id] of [
      ["a", "support"],
      ["b", "main2"],
      ["c", "../etc"],
    ] as const) {
      client.say(id, "x", { ...QUIET, thread_id });
      expect((await client.next("error")).payload).toMatchObject({
        code: "not_found",
        field: "payload.thread_id",
      });
    }
  });

  test("[T3] a message may follow any earlier one of its thread, but of no other", async () => {
    const client = await connect(newUser());
    client.say("a", "root", QUIET);
    const root = (await client.next("user_message")).payload.message_id;
    client.say("b", "second", QUIET);
    await client.next("user_message");
    client.say("c", "another second", { ...QUIET, parent_message_id: root });
    expect((await client.next("user_message")).payload.parent_message_id).toBe(root);
    client.say("d", "stolen parent", { ...QUIET, thread_id: crypto.randomUUID(), parent_message_id: root });
    expect((await client.next("error")).payload).toMatchObject({ field: "payload.parent_message_id" });
  });
});

describe("permissions", () => {
  test("[Q9] without agents a message can be stored, but not ask for an answer", async () => {
    const client = await connect(newUser(), { permissions: ["chat"] });
    client.say("a", "answer me");
    expect((await client.next("error")).payload).toMatchObject({
      code: "forbidden",
      field: "payload.respond",
    });
    client.say("b", "just keep this", QUIET);
    expect((await client.next("message_ack")).payload.run_id).toBeUndefined();
    client.say("c", "no", { respond: true });
    expect((await client.next("error")).payload.code).toBe("forbidden");
  });
});
