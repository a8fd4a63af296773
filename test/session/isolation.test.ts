/** Many people on one Worker: what reaches one of them is theirs, and what is somebody else's might as well not be. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";
import {
  type AnyFrame,
  connect,
  newUser,
  open,
  stubOf,
  type TestClient,
  waitFor,
} from "../support/client.ts";
import { HOST, send } from "../support/edge.ts";
import { probe } from "../support/probe.ts";
import { signToken } from "../support/tokens.ts";

const SECRET = /S3CRET-[0-9a-f-]{36}/g;
const USER_ID = /u_[a-z2-7]{52}/g;

type Json = any;

async function fetchAs(sub: string, path: string, init: RequestInit = {}, claims = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${await signToken({ sub, ...claims })}`);
  if (init.body !== undefined) headers.set("Content-Type", "application/json");
  return send(new Request(new URL(path, HOST), { ...init, headers }));
}

async function read(sub: string, path: string): Promise<Json> {
  const response = await fetchAs(sub, path);
  expect(response.status).toBe(200);
  return response.json();
}

/** Somebody with two tabs and things that nobody else must ever see. */
class Person {
  readonly sub: string;
  readonly user_id: string;
  readonly tabs: readonly [TestClient, TestClient];
  /** By the id of the message. */
  readonly said = new Map<string, { content: string; thread_id: string }>();
  readonly secrets = new Set<string>();

  constructor(sub: string, user_id: string, tabs: readonly [TestClient, TestClient]) {
    this.sub = sub;
    this.user_id = user_id;
    this.tabs = tabs;
  }

  static async arrive(): Promise<Person> {
    const sub = newUser();
    const [one, other, user_id] = await Promise.all([open(sub), open(sub), userId("local", sub)]);
    for (const tab of [one, other]) tab.acking = true;
    return new Person(sub, user_id, [one, other]);
  }

  /** Two messages: one into the thread all tabs share, and one with an agent at work into a thread of its own. */
  speak(tab: TestClient): void {
    this.#say(tab, "main", { respond: false });
    const script = [
      { think: this.#secret() },
      { tools: [1, 2].map(() => ({ tool: "echo", key: this.#secret(), value: this.#secret() })) },
      { text: `${this.#secret()} ` },
      { report: this.#secret() },
    ];
    this.#say(tab, crypto.randomUUID(), { data: { script } });
  }

  /** Resolves when both tabs have seen the end of every run: replies come before what they reply to begins. */
  async heardAll(rounds: number): Promise<void> {
    const runs = this.tabs.length * rounds;
    for (const tab of this.tabs) for (let i = 0; i < runs; i += 1) await tab.next("agent_completed");
  }

  #say(tab: TestClient, thread_id: string, more: Record<string, unknown>): void {
    const id = crypto.randomUUID();
    const content = `${this.#secret()} is what I say`;
    const metadata = { note: this.#secret() };
    const data = { note: this.#secret() };
    tab.say(id, content, { data, metadata, ...(thread_id === "main" ? {} : { thread_id }), ...more });
    this.said.set(id, { content, thread_id });
  }

  #secret(): string {
    const secret = `S3CRET-${crypto.randomUUID()}`;
    this.secrets.add(secret);
    return secret;
  }
}

function expectOnlyOwn(texts: readonly string[], { secrets, user_id }: Person): void {
  const all = texts.join("\n");
  const foreign = new Set((all.match(SECRET) ?? []).filter((secret) => !secrets.has(secret)));
  expect([...foreign]).toEqual([]);
  expect([...new Set(all.match(USER_ID) ?? [])].filter((id) => id !== user_id)).toEqual([]);
}

function expectOwnLog(events: readonly AnyFrame[], { said }: Person): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  const heard = events
    .filter(({ type }) => type === "user_message")
    .map(({ payload: { id, content, thread_id } }) => [id, { content, thread_id }] as const);
  expect(heard).toHaveLength(said.size);
  expect(new Map(heard)).toEqual(said);
}

/** Both tabs were there from the beginning. */
function expectOwnFrames(person: Person): void {
  const [one, other] = person.tabs;
  for (const tab of person.tabs) {
    expect(tab.closed).toBeUndefined();
    expect(tab.of("connection_established").map(({ payload }) => payload.user_id)).toEqual([person.user_id]);
    expect(tab.of("error")).toEqual([]);
    expectOnlyOwn(tab.texts, person);
    expectOwnLog(tab.events(), person);
  }
  expect(other.events()).toEqual(one.events());
  const acknowledged = person.tabs.flatMap((tab) => tab.of("message_ack")).map(({ reply_to }) => reply_to);
  expect(acknowledged.sort()).toEqual([...person.said.keys()].sort());
}

async function expectOwnReadings(person: Person): Promise<void> {
  const { sub, said, tabs } = person;
  const log = await read(sub, "/v1/events?limit=1000");
  expect(log.events).toEqual(tabs[0].events());
  const { threads } = await read(sub, "/v1/threads");
  const own = new Set([...said.values()].map(({ thread_id }) => thread_id));
  expect(threads.map(({ thread_id }: Json) => thread_id).sort()).toEqual([...own].sort());
  const pages = await Promise.all(
    [...own].map((thread_id) => read(sub, `/v1/threads/${thread_id}/messages`)),
  );
  const kept = pages.flatMap(({ messages }) => messages).filter(({ role }: Json) => role === "user");
  expect(kept.map(({ content }: Json) => content).sort()).toEqual(
    [...said.values()].map(({ content }) => content).sort(),
  );
  const late = await connect(sub);
  expectOnlyOwn([JSON.stringify([log, threads, pages]), ...late.texts], person);
  late.close();
}

describe("a crowd", () => {
  test.each([
    [2, 5],
    [10, 3],
    [50, 1],
    [100, 1],
  ])(
    "[X8] of %i users, each with two tabs, all talking at once %i times, is told nothing of each other",
    async (users, rounds) => {
      const people = await Promise.all(Array.from({ length: users }, () => Person.arrive()));
      for (let round = 0; round < rounds; round += 1) {
        for (const which of [0, 1] as const) for (const person of people) person.speak(person.tabs[which]);
      }
      await Promise.all(people.map((person) => person.heardAll(rounds)));
      for (const person of people) expectOwnFrames(person);
      await Promise.all(people.map(expectOwnReadings));
      for (const tab of people.flatMap(({ tabs }) => tabs)) tab.close();
    },
    // A hundred objects are a hundred files: 3 s, and more where the disk is shared.
    60_000,
  );
});

/** What a user has that another one could name. */
interface Names {
  readonly thread_id: string;
  readonly question: string;
  readonly answer: string;
  readonly working: string;
  readonly waiting: string;
  readonly ended: string;
  readonly epoch: string;
  readonly client_id: string;
  readonly user_id: string;
  readonly token: string;
}

/** Somebody with a thread of each kind, and runs that have ended, work and wait. */
class Owner {
  readonly sub: string;
  readonly tab: TestClient;
  readonly names: Names;

  constructor(sub: string, tab: TestClient, names: Names) {
    this.sub = sub;
    this.tab = tab;
    this.names = names;
  }

  static async make(): Promise<Owner> {
    const sub = newUser();
    const client_id = crypto.randomUUID();
    const tab = await connect(sub, { client_id });
    const thread_id = crypto.randomUUID();
    const ask = async (id: string, script: readonly unknown[]) => {
      tab.say(id, `my ${id}`, { thread_id, data: { script } });
      return (await tab.next("message_ack")).payload;
    };
    const first = await ask("first", [{ text: "an answer" }]);
    const { payload } = await tab.next("agent_completed");
    probe.hold(sub);
    const working = await ask("second", [{ tool: "hold", key: sub }]);
    const waiting = await ask("third", [{ text: "later" }]);
    await waitFor(() => probe.executions(sub) > 0 && tab.of("tool_executing").length > 0);
    return new Owner(sub, tab, {
      thread_id,
      question: first.message_id,
      answer: payload.message_id,
      working: working.run_id,
      waiting: waiting.run_id,
      ended: first.run_id,
      epoch: tab.frames[0]?.payload.epoch,
      client_id,
      user_id: await userId("local", sub),
      token: await signToken({ sub }),
    });
  }

  /** Everything that is kept of them, and everything their tab was told. */
  async state(): Promise<Json> {
    const rows = await runInDurableObject(await stubOf(this.sub), (_, { storage }) => {
      const all = (table: string) => storage.sql.exec(`SELECT * FROM ${table}`).toArray();
      return Object.fromEntries(
        ["meta", "events", "inbox", "runs", "threads"].map((name) => [name, all(name)]),
      );
    });
    return { rows, told: [...this.tab.texts], closed: this.tab.closed };
  }

  leave(): void {
    probe.release(this.sub);
    this.tab.close();
  }
}

/** Names of the same shape, and the same seqs in them, that nobody has. */
async function nobodys(names: Names): Promise<Names> {
  const sub = newUser();
  return {
    thread_id: crypto.randomUUID(),
    question: unlike(names.question),
    answer: unlike(names.answer),
    working: unlike(names.working),
    waiting: unlike(names.waiting),
    ended: unlike(names.ended),
    epoch: unlike(names.epoch),
    client_id: crypto.randomUUID(),
    user_id: await userId("local", sub),
    token: await signToken({ sub }),
  };
}

/** The random part of an id of ours has 16 characters, underscores among them. */
function unlike(id: string): string {
  return `${id.slice(0, -16)}${"x".repeat(16)}`;
}

/** Somebody else, whose log has messages and an ended run at the very seqs the owner's has. */
async function stranger(): Promise<string> {
  const sub = newUser();
  const tab = await connect(sub);
  tab.say("own", "my own", { data: { script: [{ text: "an answer" }] } });
  await tab.next("agent_completed");
  for (let i = 0; i < 5; i += 1) tab.say(`own ${i}`, "my own", { respond: false });
  for (let i = 0; i < 5; i += 1) await tab.next("user_message");
  tab.close();
  return sub;
}

/** Everything a connection of its own is told from this command on. */
async function answerTo(sub: string, frame: Record<string, unknown>, id = "asked"): Promise<Json> {
  const tab = await connect(sub);
  const before = tab.frames.length;
  tab.send({ ...frame, id });
  const reply = await tab.next(({ reply_to }) => reply_to === id);
  if (reply.payload.fatal === true) await tab.untilClosed();
  else {
    tab.send({ type: "ping", id: "then", payload: {} });
    await tab.next(({ reply_to }) => reply_to === "then");
  }
  const answer = { frames: tab.frames.slice(before), closed: tab.closed };
  tab.close();
  return answer;
}

const COMMANDS: readonly [string, string, (names: Names) => Record<string, unknown>][] = [
  ["run_cancel of a working run", "not_found", ({ working }) => cancel(working)],
  ["run_cancel of a waiting run", "not_found", ({ waiting }) => cancel(waiting)],
  ["run_cancel of an ended run", "not_found", ({ ended }) => cancel(ended)],
  ["run_cancel of a thread", "not_found", ({ thread_id }) => cancel(thread_id)],
  ["user_message after a question", "not_found", ({ question }) => say({ parent_message_id: question })],
  ["user_message after an answer", "not_found", ({ answer }) => say({ parent_message_id: answer })],
  [
    "user_message in a thread after one of its messages",
    "not_found",
    ({ thread_id, question }) => say({ thread_id, parent_message_id: question }),
  ],
  ["user_message in a thread named as a run", "not_found", ({ working }) => say({ thread_id: working })],
  ["ack of an id", "invalid_payload", ({ question }) => ({ type: "ack", payload: { seq: question } })],
  [
    "auth_refresh with a token",
    "user_mismatch",
    ({ token }) => ({ type: "auth_refresh", payload: { token } }),
  ],
];

function cancel(run_id: string) {
  return { type: "run_cancel", payload: { run_id } };
}

function say(more: Record<string, unknown>) {
  return { type: "user_message", payload: { content: "hello", respond: false, ...more } };
}

type Route = readonly [path: (names: Names) => string, claims: Json, init: RequestInit];
const POST = { method: "POST" } as const;
const SERVICE = { permissions: ["chat", "service"] };
const ADMIN = { permissions: ["chat", "admin"] };
const NOTICE = { ...POST, body: JSON.stringify({ events: [{ topic: "t", data: 1 }] }) };

const ROUTES: readonly [string, number, Route][] = [
  ["messages of a thread", 404, [({ thread_id }) => `/v1/threads/${thread_id}/messages`, {}, {}]],
  [
    "messages of a thread, before one",
    404,
    [({ thread_id }) => `/v1/threads/${thread_id}/messages?before=3&limit=5`, {}, {}],
  ],
  ["messages of a run", 404, [({ working }) => `/v1/threads/${working}/messages`, {}, {}]],
  ["events of an epoch", 409, [({ epoch }) => `/v1/events?epoch=${epoch}`, {}, {}]],
  ["events of an epoch from 3", 409, [({ epoch }) => `/v1/events?epoch=${epoch}&since=3`, {}, {}]],
  ["publishing without service", 403, [({ user_id }) => `/v1/users/${user_id}/events`, {}, NOTICE]],
  ["publishing with admin", 403, [({ user_id }) => `/v1/users/${user_id}/events`, ADMIN, NOTICE]],
  [
    "a bad publication",
    400,
    [({ user_id }) => `/v1/users/${user_id}/events`, SERVICE, { ...POST, body: "{" }],
  ],
  ["reading a user's events", 405, [({ user_id }) => `/v1/users/${user_id}/events`, SERVICE, {}]],
  ["invalidating without admin", 403, [({ user_id }) => `/v1/users/${user_id}/invalidate`, {}, POST]],
  ["invalidating with service", 403, [({ user_id }) => `/v1/users/${user_id}/invalidate`, SERVICE, POST]],
  ["signing out without admin", 403, [({ user_id }) => `/v1/users/${user_id}/sign-out`, {}, POST]],
  ["signing out with service", 403, [({ user_id }) => `/v1/users/${user_id}/sign-out`, SERVICE, POST]],
  ["a user's threads", 404, [({ user_id }) => `/v1/users/${user_id}/threads`, {}, {}]],
];

async function answerOf(sub: string, [path, claims, init]: Route, names: Names): Promise<Json> {
  const response = await fetchAs(sub, path(names), init, claims);
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

/** Without what is another one each time: ids, times, and the names that were asked about. */
function anonymous(frames: readonly unknown[], names: Names): unknown {
  const known = Object.entries(names).reduce(
    (text, [name, id]) => text.replaceAll(id, name),
    JSON.stringify(frames),
  );
  return JSON.parse(
    known
      .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uuid>")
      .replaceAll(/\b([mar]_\d+_)[\w-]{16}/g, "$1<random>")
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
      .replaceAll(/"(connection_id|client_id|epoch)":"[^"]*"/g, '"$1":"<random>"')
      .replaceAll(USER_ID, "<user>")
      .replaceAll(/"token_expires_in_ms":\d+/g, '"token_expires_in_ms":0'),
  );
}

describe("an id of somebody else's", () => {
  test.each(COMMANDS)("[X8] in %s is %s, as one that nobody has", async (_, code, frame) => {
    const [owner, sub] = await Promise.all([Owner.make(), stranger()]);
    const before = await owner.state();
    const theirs = await answerTo(sub, frame(owner.names));
    const absent = await answerTo(sub, frame(await nobodys(owner.names)));
    expect(theirs.frames[0]).toMatchObject({ type: "error", payload: { code } });
    expect(theirs).toEqual(absent);
    expect(theirs.closed?.code).toBe(code === "user_mismatch" ? 4_004 : undefined);
    expect(await owner.state()).toEqual(before);
    owner.leave();
  });

  test.each(ROUTES)("[X8] over HTTP, %s, is %i, as one that nobody has", async (_, status, route) => {
    const [owner, sub] = await Promise.all([Owner.make(), stranger()]);
    const before = await owner.state();
    const theirs = await answerOf(sub, route, owner.names);
    expect(theirs.status).toBe(status);
    expect(theirs).toEqual(await answerOf(sub, route, await nobodys(owner.names)));
    expect(await owner.state()).toEqual(before);
    owner.leave();
  });

  test("[X8] given to a new thread, or a command, names only one's own", async () => {
    const [owner, one, other] = await Promise.all([Owner.make(), stranger(), stranger()]);
    const before = await owner.state();
    const absent = await nobodys(owner.names);
    const answers: Json[] = [];
    for (const [sub, names] of [
      [one, owner.names],
      [other, absent],
    ] as const) {
      const { thread_id } = names;
      // The owner's commands were called that, too.
      const frames = [await answerTo(sub, say({ thread_id })), await answerTo(sub, say({}), "first")];
      const read = await fetchAs(sub, `/v1/threads/${thread_id}/messages`);
      answers.push(anonymous([...frames, await read.json()], names));
    }
    expect(answers[0]).toEqual(answers[1]);
    const acks = answers.flat().flatMap(({ frames = [] }) => frames.slice(0, 1));
    expect(acks.map(({ type, payload }: AnyFrame) => [type, payload.duplicate])).toEqual(
      Array(4).fill(["message_ack", false]),
    );
    expect(await owner.state()).toEqual(before);
    owner.leave();
  });

  test("[X8] in the query of an upgrade is a cursor of nobody's, and takes no connection over", async () => {
    const [owner, sub] = await Promise.all([Owner.make(), stranger()]);
    const before = await owner.state();
    const greetings = [];
    for (const names of [owner.names, await nobodys(owner.names)]) {
      const { epoch, client_id } = names;
      const tab = await connect(sub, { epoch, since: 2, client_id, n: 99 });
      greetings.push(anonymous(tab.frames, names));
      tab.close();
      await tab.untilClosed();
    }
    expect(greetings[0]).toEqual(greetings[1]);
    expect(greetings[0]).toMatchObject([{ payload: { resume: "gap", gap_reason: "epoch_changed" } }, {}, {}]);
    expect(await owner.state()).toEqual(before);
    owner.leave();
  });
});
