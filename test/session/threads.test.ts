/** Threads as things of their own: made, named, branched, deleted. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, principalWith, type RecordingSocket } from "../support/desk.ts";
import { probe } from "../support/probe.ts";
import { scripted } from "../support/scripted-agent.ts";

const THREAD = "018f0000-0000-7000-8000-000000000001";
const OTHER = "018f0000-0000-7000-8000-000000000002";

interface Bench {
  readonly desk: Desk;
  readonly socket: RecordingSocket;
  readonly storage: DurableObjectStorage;
  /** Sends a command and returns what was sent for it, its reply first. */
  readonly ask: (type: string, payload: object, id?: string) => Promise<any[]>;
  readonly say: (content: string, more?: object) => Promise<any>;
}

async function withBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const desk = new Desk(storage, scripted);
    const socket = desk.connect({ client_id: "tab" });
    let count = 0;
    const ask = async (type: string, payload: object, id?: string) => {
      count += 1;
      const from = socket.sent.length;
      await desk.send(socket, { type, id: id ?? `c${count}`, payload });
      await desk.idle();
      return socket.sent.slice(from);
    };
    const say = async (content: string, more: object = {}) => {
      const [reply] = await ask("user_message", { content, respond: false, thread_id: THREAD, ...more });
      return reply.payload;
    };
    await work({ desk, socket, storage, ask, say });
  });
}

const WHO = principalWith(["chat"]);

function messagesOf({ desk }: Bench, more: object = {}): any[] {
  const page = desk.session.requests.listMessages(WHO, { thread_id: THREAD, limit: 50, ...more });
  return page.ok ? [...page.value.messages] : [page.refusal];
}

function contents(bench: Bench, more: object = {}): string[] {
  return messagesOf(bench, more).map(({ content }) => content);
}

describe("making a thread", () => {
  test("[T6] comes before anything is said; the first message names it", () =>
    withBench(async ({ ask, socket }) => {
      const [ack, created] = await ask("thread_create", { thread_id: THREAD });
      expect(ack).toMatchObject({ type: "command_ack", payload: { seq: 1, thread_id: THREAD } });
      expect(created).toMatchObject({ type: "thread_created", payload: { thread_id: THREAD, title: "" } });
      await ask("user_message", { content: "Where does it go?", thread_id: THREAD, respond: false });
      await ask("user_message", { content: "And now?", thread_id: THREAD, respond: false });
      expect(socket.of("user_message").map(({ payload }) => payload.thread)).toEqual([
        { title: "Where does it go?" },
        undefined,
      ]);
    }));

  test("[T6] can leave the id to the server and bring a title, which the first message leaves alone", () =>
    withBench(async ({ ask, desk }) => {
      const [ack] = await ask("thread_create", { title: "Costs \ud800" });
      const { thread_id } = ack.payload;
      expect(thread_id).toMatch(/^t_1_/);
      const [said, event] = await ask("user_message", { content: "hello", thread_id, respond: false });
      expect([said.type, event.payload.thread]).toEqual(["message_ack", undefined]);
      const listed = desk.session.requests.listThreads(WHO, { limit: 10 });
      expect(listed).toMatchObject({ value: { threads: [{ thread_id, title: "Costs \ufffd" }] } });
    }));

  test("[T6] is the same thread when it is asked for again under its id", () =>
    withBench(async ({ ask, desk }) => {
      const [first] = await ask("thread_create", {}, "once");
      const [again, ...rest] = await ask("thread_create", {}, "once");
      expect(again.payload).toEqual({ ...first.payload, duplicate: true });
      expect(rest).toEqual([]);
      desk.crash();
      expect(desk.session.requests.listThreads(WHO, { limit: 10 })).toMatchObject({
        value: { threads: [{ title: "" }] },
      });
    }));

  test.each([
    ["an id that is no UUID", { thread_id: "mine" }, "invalid_payload", "payload.thread_id"],
    ["an id that is in use", { thread_id: THREAD }, "conflict", "payload.thread_id"],
    ["an empty title", { title: "" }, "invalid_payload", "payload.title"],
    ["a title of 201 characters", { title: "x".repeat(201) }, "invalid_payload", "payload.title"],
  ])("[T6] is refused for %s", (_, payload, code, field) =>
    withBench(async ({ ask, say }) => {
      await say("here already");
      const [reply, ...rest] = await ask("thread_create", payload);
      expect(reply).toMatchObject({ type: "error", payload: { code, field, fatal: false } });
      expect(rest).toEqual([]);
    }),
  );
});

describe("naming a thread", () => {
  test("[T7] changes the title and not the order, for a page opened later too", () =>
    withBench(async ({ ask, say, desk }) => {
      await say("one");
      await say("two", { thread_id: OTHER });
      const [ack, updated] = await ask("thread_update", { thread_id: THREAD, title: "First" });
      expect(ack).toMatchObject({ type: "command_ack", payload: { seq: 3, duplicate: false } });
      expect(updated).toMatchObject({ type: "thread_updated", payload: { title: "First" } });
      desk.crash();
      const [, snapshot] = desk.connect({ client_id: "late" }).sent;
      expect(snapshot.payload.threads.map(({ title }: any) => title)).toEqual(["two", "First"]);
    }));

  test.each([
    ["nothing to change", { thread_id: THREAD }, "invalid_payload", "payload"],
    ["a thread that is not there", { thread_id: OTHER, title: "x" }, "not_found", "payload.thread_id"],
    [
      "a message of another thread",
      { thread_id: THREAD, head_message_id: "m_2_x" },
      "not_found",
      "payload.head_message_id",
    ],
  ])("[T7] is refused for %s", (_, payload, code, field) =>
    withBench(async ({ ask, say }) => {
      await say("one");
      const [reply, ...rest] = await ask("thread_update", payload);
      expect(reply).toMatchObject({ type: "error", payload: { code, field } });
      expect(rest).toEqual([]);
    }),
  );
});

describe("a branch", () => {
  test("[T8] is made by what is said in the place of something else, at the beginning too", () =>
    withBench(async (bench) => {
      const first = await bench.say("one");
      await bench.say("two");
      const edited = await bench.say("two, otherwise", { parent_message_id: first.message_id });
      expect(contents(bench)).toEqual(["one", "two, otherwise"]);
      await bench.say("one, otherwise", { parent_message_id: null });
      expect(contents(bench)).toEqual(["one, otherwise"]);
      expect(contents(bench, { head: edited.message_id })).toEqual(["one", "two, otherwise"]);
    }));

  test("[T8] can be shown again, and goes on from there", () =>
    withBench(async (bench) => {
      const first = await bench.say("one");
      const second = await bench.say("two");
      await bench.say("two, otherwise", { parent_message_id: first.message_id });
      await bench.ask("thread_update", { thread_id: THREAD, head_message_id: second.message_id });
      bench.desk.crash();
      expect(contents(bench)).toEqual(["one", "two"]);
      const tab = bench.desk.connect({ client_id: "later" });
      const message = {
        type: "user_message",
        id: "on",
        payload: { content: "three", thread_id: THREAD, respond: false },
      };
      await bench.desk.send(tab, message);
      expect(contents(bench)).toEqual(["one", "two", "three"]);
    }));

  test("[T8] knows the others: messages name what stands in their place, if they are asked to", () =>
    withBench(async (bench) => {
      const first = await bench.say("one");
      const second = await bench.say("two");
      const edited = await bench.say("two, otherwise", { parent_message_id: first.message_id });
      const [one, two] = messagesOf(bench, { alternatives: true });
      expect(one.alternatives).toBeUndefined();
      expect(two.alternatives).toEqual([second.message_id, edited.message_id]);
      expect(messagesOf(bench)[1].alternatives).toBeUndefined();
    }));

  test("[T8] is found by any message it goes through, to the newest that was said on it", () =>
    withBench(async (bench) => {
      const first = await bench.say("one");
      const second = await bench.say("two");
      await bench.say("two and more");
      const third = await bench.say("three", { parent_message_id: second.message_id });
      await bench.say("two, otherwise", { parent_message_id: first.message_id });
      const on = (through: string) => contents(bench, { through });
      expect(on(second.message_id)).toEqual(["one", "two", "three"]);
      expect(on(third.message_id)).toEqual(["one", "two", "three"]);
      expect(on(first.message_id)).toEqual(["one", "two, otherwise"]);
      const query = { thread_id: THREAD, limit: 50, through: "m_99_unknown" };
      expect(bench.desk.session.requests.listMessages(WHO, query)).toMatchObject({
        refusal: { code: "not_found", field: "through" },
      });
    }));

  test("[T8] holds another answer to the same question; the first stays on its own", () =>
    withBench(async (bench) => {
      const script = [{ text: "an answer" }];
      const question = await bench.say("why?", { respond: true, data: { script } });
      const [, first] = messagesOf(bench);
      const [ack, updated, started] = await bench.ask("message_regenerate", { message_id: first.message_id });
      expect(ack).toMatchObject({ type: "message_ack", payload: { message_id: question.message_id } });
      expect(ack.payload.run_id).not.toBe(question.run_id);
      expect(updated.payload).toMatchObject({
        head_message_id: question.message_id,
        run_id: ack.payload.run_id,
      });
      expect(started.payload).toMatchObject({ message_id: question.message_id, run_seq: 0 });
      const [asked, second] = messagesOf(bench, { alternatives: true, steps: true });
      expect([asked.content, second.role]).toEqual(["why?", "assistant"]);
      expect(second.alternatives).toEqual([first.message_id, second.message_id]);
      expect(messagesOf(bench, { head: first.message_id })[1]).toEqual(first);
    }));

  test("[T8] is asked for by the question too, again under the same id, and after a crash", () =>
    withBench(async ({ ask, say, desk }) => {
      const question = await say("why?", { respond: true, data: { script: [{ text: "so" }] } });
      const [first] = await ask("message_regenerate", { message_id: question.message_id }, "again");
      desk.crash();
      const tab = desk.connect({ client_id: "tab" });
      await desk.send(tab, {
        type: "message_regenerate",
        id: "again",
        payload: { message_id: question.message_id },
      });
      expect(tab.of("message_ack")[0].payload).toEqual({ ...first.payload, duplicate: true });
      const known = tab.of("state_snapshot")[0].payload.messages.map(({ run_id }: any) => run_id);
      expect(known).toEqual([question.run_id, first.payload.run_id]);
    }));

  test("[T8] is refused by the name of an earlier answer too, while another one is being written", () =>
    withBench(async (bench) => {
      const script = [{ tool: "hold", key: "threads:again" }];
      const question = await bench.say("why?", { respond: true, data: { script } });
      const [, first] = messagesOf(bench);
      probe.hold("threads:again");
      const tab = bench.desk.connect({ client_id: "asker" });
      for (const message_id of [question.message_id, first.message_id, question.message_id]) {
        const id = `${tab.sent.length}`;
        await bench.desk.send(tab, { type: "message_regenerate", id, payload: { message_id } });
      }
      probe.release("threads:again");
      expect(tab.of("message_ack")).toHaveLength(1);
      expect(tab.of("error").map(({ payload }) => payload.code)).toEqual(["conflict", "conflict"]);
    }));

  test("[T8] is refused for what is not there, what is not finished, and who may not ask agents", () =>
    withBench(async ({ ask, say, desk }) => {
      const [unknown] = await ask("message_regenerate", { message_id: "a_1_x" });
      expect(unknown.payload).toMatchObject({ code: "not_found", field: "payload.message_id" });
      const question = await say("why?", { respond: true, data: { script: [{ text: "so" }] } });
      const asker = desk.connect({ client_id: "asker" });
      const socket = desk.connect({ client_id: "reader", principal: principalWith(["chat"]) });
      await desk.send(socket, {
        type: "message_regenerate",
        id: "r",
        payload: { message_id: question.message_id },
      });
      expect(socket.of("error")[0].payload).toMatchObject({ code: "forbidden" });
      const script = [{ tool: "hold", key: "threads:unfinished" }];
      probe.hold("threads:unfinished");
      const payload = { content: "hold", thread_id: THREAD, data: { script } };
      await desk.send(asker, { type: "user_message", id: "held", payload });
      const held = asker.of("message_ack")[0].payload.message_id;
      await desk.send(asker, { type: "message_regenerate", id: "again", payload: { message_id: held } });
      expect(asker.of("error")[0].payload).toMatchObject({ code: "conflict", field: "payload.message_id" });
      probe.release("threads:unfinished");
    }));
});

describe("deleting a thread", () => {
  test("[T9] removes what was said, wherever it was kept, and tells every tab", () =>
    withBench(async ({ ask, say, desk, storage }) => {
      const other = desk.connect({ client_id: "other" });
      await say("secret words");
      await say("why?", {
        respond: true,
        data: { script: [{ think: "secret thought" }, { text: "secret answer" }] },
      });
      await say("elsewhere", { thread_id: OTHER });
      const [ack] = await ask("thread_delete", { thread_id: THREAD });
      expect(ack).toMatchObject({ type: "command_ack", payload: { duplicate: false } });
      expect(other.of("thread_deleted")[0]).toMatchObject({
        seq: ack.payload.seq,
        payload: { thread_id: THREAD },
      });
      for (const table of ["events", "inbox", "threads", "runs"]) {
        const rows = JSON.stringify(storage.sql.exec(`SELECT * FROM ${table}`).toArray());
        expect(rows).not.toMatch(/secret|why/);
      }
      expect(desk.session.requests.listMessages(WHO, { thread_id: THREAD, limit: 1 })).toMatchObject({
        refusal: { code: "not_found" },
      });
      expect(desk.session.requests.listMessages(WHO, { thread_id: OTHER, limit: 1 })).toMatchObject({
        ok: true,
      });
    }));

  test("[T9] tells who was away that it was erased, and numbers go on", () =>
    withBench(async ({ ask, say, desk, socket }) => {
      const { epoch } = socket.sent[0].payload;
      await say("one");
      await say("between", { thread_id: OTHER });
      await say("two");
      await ask("thread_delete", { thread_id: THREAD });
      desk.crash();
      const back = desk.connect({ client_id: "tab", epoch, since: "0" });
      expect(back.sent.slice(1).map(({ type, seq, payload }) => [type, seq ?? payload])).toEqual([
        ["events_skipped", { from: 1, to: 1, reason: "erased" }],
        ["user_message", 2],
        ["events_skipped", { from: 3, to: 3, reason: "erased" }],
        ["thread_deleted", 4],
        ["replay_completed", { seq: 4 }],
      ]);
    }));

  test("[T9] ends what is being answered there, what waits there, and nothing else", () =>
    withBench(async ({ ask, say, desk, storage }) => {
      const script = [{ tool: "hold", key: "threads:held" }];
      probe.hold("threads:held");
      await desk.send(desk.connect({ client_id: "asker" }), {
        type: "user_message",
        id: "held",
        payload: { content: "hold", thread_id: THREAD, data: { script } },
      });
      await desk.send(desk.connect({ client_id: "asker" }), {
        type: "user_message",
        id: "waits",
        payload: { content: "next", thread_id: THREAD, data: { script: [{ text: "x" }] } },
      });
      const frames = await ask("thread_delete", { thread_id: THREAD });
      expect(frames.map(({ type }) => type)).toEqual(["command_ack", "thread_deleted"]);
      expect(storage.sql.exec("SELECT * FROM runs").toArray()).toEqual([]);
      expect(desk.timers).toBe(0);
      probe.release("threads:held");
      const answered = await say("elsewhere", {
        thread_id: OTHER,
        respond: true,
        data: { script: [{ text: "y" }] },
      });
      expect(answered.run_id).toBeDefined();
    }));

  test("[T9] is final: what is said too late does not bring it back, nor does its id", () =>
    withBench(async ({ ask, say, desk }) => {
      await say("one", {});
      const [ack] = await ask("thread_delete", { thread_id: THREAD }, "gone");
      const late = await ask("user_message", { content: "late", thread_id: THREAD, respond: false });
      expect(late).toMatchObject([
        { type: "error", payload: { code: "not_found", field: "payload.thread_id" } },
      ]);
      const [taken] = await ask("thread_create", { thread_id: THREAD });
      expect(taken.payload).toMatchObject({ code: "conflict" });
      const [repeated] = await ask(
        "user_message",
        { content: "one", thread_id: THREAD, respond: false },
        "c1",
      );
      expect(repeated.payload).toMatchObject({ code: "expired" });
      const [again] = await ask("thread_delete", { thread_id: THREAD }, "gone");
      expect(again.payload).toEqual({ ...ack.payload, duplicate: true });
      const [unknown] = await ask("thread_delete", { thread_id: THREAD });
      expect(unknown.payload).toMatchObject({ code: "not_found" });
      expect(desk.session.requests.listThreads(WHO, { limit: 10 })).toEqual({
        ok: true,
        value: { threads: [] },
      });
    }));

  test("[T9] takes what arrived with it, too: a message and the deletion in one group", () =>
    withBench(async ({ ask, say, storage }) => {
      await say("one");
      const [together] = await Promise.all([
        ask("user_message", { content: "secret", thread_id: THREAD, respond: false }),
        ask("thread_delete", { thread_id: THREAD }),
      ]);
      expect(together.map(({ type }) => type)).not.toContain("error");
      expect(JSON.stringify(storage.sql.exec("SELECT * FROM events").toArray())).not.toContain("secret");
    }));

  test("[T9] lets the default thread begin anew", () =>
    withBench(async ({ ask, say, desk }) => {
      await say("one", { thread_id: "main" });
      await ask("thread_delete", { thread_id: "main" });
      const [ack, event] = await ask("user_message", { content: "anew", respond: false });
      expect(ack.type).toBe("message_ack");
      expect(event.payload).toMatchObject({ thread: { title: "anew" }, parent_message_id: null });
      desk.crash();
      expect(desk.session.requests.listThreads(WHO, { limit: 10 })).toMatchObject({
        value: { threads: [{ title: "anew" }] },
      });
    }));

  test("[T9] leaves rows that are empty, and after a month none; that it was deleted stays known", () =>
    withBench(async ({ ask, say, desk, storage }) => {
      await say("one");
      await ask("thread_delete", { thread_id: THREAD });
      await say("last", { thread_id: OTHER });
      desk.now += 32 * 86_400_000;
      desk.session.deadlines.fire();
      expect(storage.sql.exec("SELECT seq FROM events").toArray()).toEqual([{ seq: 2 }, { seq: 3 }]);
      expect(storage.sql.exec("SELECT thread_id FROM threads").toArray()).toEqual([{ thread_id: OTHER }]);
    }));
});

describe("reading threads", () => {
  test("[T4] goes on page by page where nothing has moved", () =>
    withBench(async ({ say, desk }) => {
      const ids = Array.from({ length: 5 }, (_, i) => `018f0000-0000-7000-8000-00000000000${i}`);
      for (const thread_id of ids) await say("hello", { thread_id });
      const first = desk.session.requests.listThreads(WHO, { limit: 3 });
      if (!first.ok || first.value.next === undefined) throw new Error("no first page");
      const second = desk.session.requests.listThreads(WHO, { limit: 3, before: first.value.next });
      if (!second.ok) throw new Error("no second page");
      const listed = [...first.value.threads, ...second.value.threads].map(({ thread_id }) => thread_id);
      expect(listed).toEqual(ids.toReversed());
      expect(second.value.next).toBeUndefined();
    }));

  test("[T4] ends a page before it has more than 4 MiB; the next goes on without a gap", () =>
    withBench(async (bench) => {
      const long = "x".repeat(32_000);
      for (let i = 0; i < 150; i += 1) {
        const payload = { content: `${i} ${long}`, respond: false, thread_id: THREAD };
        await bench.desk.session.requests.submit(WHO, { type: "user_message", id: `m${i}`, payload });
      }
      const pages: any[][] = [];
      for (let before: number | undefined, more = true; more; more = before !== undefined) {
        const page: any = bench.desk.session.requests.listMessages(WHO, {
          thread_id: THREAD,
          limit: 200,
          ...(before !== undefined && { before }),
        });
        pages.unshift(page.value.messages);
        before = page.value.next;
      }
      expect(pages.map((page) => JSON.stringify(page).length < 4 * 1024 * 1024)).toEqual([true, true]);
      const numbers = pages.flat().map(({ content }) => Number.parseInt(content, 10));
      expect(numbers).toEqual(Array.from({ length: 150 }, (_, index) => index));
    }));

  test("[T4] passes over messages that this Worker cannot read, as after a roll-back to an older one", () =>
    withBench(async (bench) => {
      for (let i = 0; i < 40; i += 1) await bench.say(`${i}`);
      bench.storage.sql.exec("UPDATE events SET type = 'user_thought' WHERE seq BETWEEN 6 AND 38");
      expect(contents(bench)).toEqual(["0", "1", "2", "3", "4", "38", "39"]);
    }));

  test("[T4] has one message in a page, however long it is", () =>
    withBench(async (bench) => {
      const script = Array.from({ length: 8 }, () => ({ tool: "echo", key: "k" }));
      for (const content of ["first", "second"])
        await bench.say(content, { respond: true, data: { script } });
      bench.storage.sql.exec(
        "UPDATE events SET frame = json_set(frame, '$.payload.result', ?) WHERE type = 'tool_completed'",
        "e".repeat(600_000),
      );
      await bench.desk.idle();
      const page: any = bench.desk.session.requests.listMessages(WHO, {
        thread_id: THREAD,
        limit: 50,
        steps: true,
      });
      expect(page.value.messages.map(({ role }: any) => role)).toEqual(["assistant"]);
      const { next } = page.value;
      const rest: any = bench.desk.session.requests.listMessages(WHO, {
        thread_id: THREAD,
        limit: 1,
        before: next,
      });
      expect(rest.value.messages.map(({ content }: any) => content)).toEqual(["second"]);
    }));

  test("[T4] shows how an answer came about, if it is asked to", () =>
    withBench(async (bench) => {
      const script = [{ think: "hm" }, { tool: "echo", key: "k" }, { text: "so" }];
      await bench.say("why?", { respond: true, data: { script } });
      const [, plain] = messagesOf(bench);
      expect(plain.steps).toBeUndefined();
      const [question, answer] = messagesOf(bench, { steps: true });
      expect(question.steps).toBeUndefined();
      expect(answer.steps).toMatchObject([
        { kind: "thinking", thought: "hm" },
        { kind: "tool", tool_name: "echo", status: "ok" },
      ]);
    }));
});
