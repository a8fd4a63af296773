/** docs/cost.md, measured: rows written by each thing that can be done, alarms included. */
import { describe, expect, test } from "vitest";
import page from "../../docs/cost.md?raw";
import { userId } from "../../src/auth/user-id.ts";
import { connect, newUser, type TestClient } from "../support/client.ts";
import { HttpUser } from "../support/http.ts";
import { type Meter, meterOf } from "../support/meter.ts";

const THREAD = "018f0000-0000-7000-8000-000000000001";
const SERVICE = { permissions: ["service"] };
const TURN = [{ think: "hm" }, { tool: "echo", key: "k" }, { text: "word ", times: 200 }, { report: "done" }];

interface Scene {
  readonly user: HttpUser;
  readonly user_id: string;
  readonly meter: Meter;
  readonly tab: TestClient;
}

/** A user who has connected, and said one thing to an agent that answered it. */
async function scene(): Promise<Scene & { readonly answer: any }> {
  const sub = newUser();
  const meter = await meterOf(sub);
  const tab = await connect(sub);
  const user = new HttpUser(sub);
  const body = { content: "?", data: { script: [{ text: "so" }] } };
  const { answer } = (await user.ask("POST", "/v1/messages?wait=true", { body })).body;
  meter.read();
  return { user, user_id: await userId("local", sub), meter, tab, answer };
}

type Done = Awaited<ReturnType<typeof scene>>;

function publish({ user_id }: Done, headers: Record<string, string> = {}) {
  const body = { events: [{ topic: "t", data: 1 }] };
  return new HttpUser("crm").ask("POST", `/v1/users/${user_id}/events`, { body, headers, claims: SERVICE });
}

function feed({ user_id }: Done, run_id: string, events: readonly object[]) {
  const path = `/v1/users/${user_id}/runs/${run_id}/events`;
  return new HttpUser("crm").ask("POST", path, { body: { events }, claims: SERVICE });
}

async function startFeed({ user_id }: Done): Promise<string> {
  const body = { executor: "feed", content: "?", agent_name: "other" };
  const started = await new HttpUser("crm").ask("POST", `/v1/users/${user_id}/runs`, {
    body,
    claims: SERVICE,
  });
  return started.body.run_id;
}

function update({ user }: Done, base_version: number) {
  const body = { base_version, patch: [{ op: "add", path: "/a", value: base_version }] };
  return user.ask("PATCH", "/v1/state", { body });
}

function askModel({ user }: Done) {
  const body = { content: "?", data: { script: [{ model: "?" }] } };
  return user.ask("POST", "/v1/messages?wait=true", { body });
}

async function askAndWait({ user, tab }: Done): Promise<string> {
  const body = { content: "?", data: { script: [{ signal: "go" }] } };
  await user.ask("POST", "/v1/messages", { body });
  const { payload } = await tab.next(({ type }) => type === "run_waiting");
  return payload.wait_id;
}

function thread({ user }: Done) {
  return user.ask("POST", "/v1/threads", { body: { thread_id: THREAD } });
}

async function talkIn({ user }: Done, messages: number) {
  for (let i = 0; i < messages; i += 1)
    await user.ask("POST", "/v1/messages", { body: { content: "x", thread_id: THREAD, respond: false } });
}

/** By the words of the table: what comes before is not counted. */
const OPERATIONS: Readonly<
  Record<
    string,
    { readonly before?: (done: Done) => Promise<unknown>; readonly do: (done: Done) => Promise<unknown> }
  >
> = {
  "a message without an answer": {
    do: ({ user }) => user.ask("POST", "/v1/messages", { body: { content: "x", respond: false } }),
  },
  "a standard turn of 200 deltas": {
    do: ({ user }) =>
      user.ask("POST", "/v1/messages?wait=true", { body: { content: "?", data: { script: TURN } } }),
  },
  "another answer, of an agent that only talks": {
    do: async ({ user, answer, tab }) => {
      await user.ask("POST", `/v1/messages/${answer.message_id}/regenerate?wait=true`);
      await tab.next(
        ({ type, payload }) => type === "agent_completed" && payload.message_id !== answer.message_id,
      );
    },
  },
  "the first answer of a model": { do: askModel },
  "another answer of a model": { before: askModel, do: askModel },
  "a run up to where it waits": { do: askAndWait },
  "the answer it waits for, and its end": {
    before: async (done) => Object.assign(done, { wait_id: await askAndWait(done) }),
    do: async (done) => {
      const { wait_id } = done as Done & { wait_id: string };
      await done.user.ask("POST", `/v1/waits/${wait_id}`, { body: { value: 1 } });
      await done.tab.next(
        ({ type, payload }) => type === "agent_completed" && payload.message_id !== done.answer.message_id,
      );
    },
  },
  "making a thread": { do: thread },
  "naming a thread, or showing another branch": {
    before: thread,
    do: ({ user }) => user.ask("PATCH", `/v1/threads/${THREAD}`, { body: { title: "Costs" } }),
  },
  "deleting a thread of 10 messages": {
    before: (done) => talkIn(done, 10),
    do: ({ user }) => user.ask("DELETE", `/v1/threads/${THREAD}`),
  },
  "rating an answer": {
    do: ({ user, answer }) =>
      user.ask("PUT", `/v1/messages/${answer.message_id}/feedback`, { body: { rating: 1 } }),
  },
  "the first update of the shared state": { do: (done) => update(done, 0) },
  "another update": { before: (done) => update(done, 0), do: (done) => update(done, 1) },
  "an update that is refused": { before: (done) => update(done, 0), do: (done) => update(done, 0) },
  "a notification": { do: publish },
  "a notification with an Idempotency-Key": { do: (done) => publish(done, { "Idempotency-Key": "k" }) },
  "starting a run that is fed": { do: startFeed },
  "feeding one event": {
    before: async (done) => Object.assign(done, { run_id: await startFeed(done) }),
    do: (done) => {
      const event = { type: "agent_thinking", run_seq: 1, payload: { step: 1, thought: "hm" } };
      return feed(done, (done as Done & { run_id: string }).run_id, [event]);
    },
  },
  "the same request again, under its key": {
    before: (done) => publish(done, { "Idempotency-Key": "k" }),
    do: (done) => publish(done, { "Idempotency-Key": "k" }),
  },
  "reading: threads, messages, events, state, usage, export": {
    do: async ({ user }) => {
      for (const path of ["threads", "threads/main/messages", "events", "state", "me/usage", "me/export"])
        await user.ask("GET", `/v1/${path}`);
    },
  },
};

const table = new Map(
  [...page.matchAll(/^\| ([^|]+) \| (\d+) \|/gm)].map((row) => [(row[1] ?? "").trim(), Number(row[2])]),
);

describe("what is billed", () => {
  test.each(Object.entries(OPERATIONS))(
    "[K5] %s is as docs/cost.md says",
    async (name, { before, do: act }) => {
      const done = await scene();
      await before?.(done);
      done.meter.read();
      await act(done);
      const { rows, alarms } = done.meter.read();
      expect(rows + alarms).toBe(table.get(name));
    },
  );

  test("[K5] is all that docs/cost.md has", () => {
    expect([...table.keys()]).toEqual(Object.keys(OPERATIONS));
  });
});
