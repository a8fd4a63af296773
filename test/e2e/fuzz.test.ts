/** Inputs that no client would send, while others on the same Worker go about their business; `npm run fuzz` sends 100,000. */
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { newSecret } from "../../scripts/dev-vars.ts";
import { userId } from "../../src/auth/user-id.ts";
import { ERRORS } from "../../src/protocol/errors.ts";
import { serverFrame } from "../../src/protocol/server-frames.ts";
import { print, until } from "./support/figures.ts";
import { brokenBytes, frameBytes, type Knowledge } from "./support/garbage.ts";
import { attempt, type Targets } from "./support/requests.ts";
import { residentMiB } from "./support/resident.ts";
import { type Chance, chance } from "./support/seed.ts";
import { Tab } from "./support/tab.ts";
import { expectGapless, expectKept, readBack } from "./support/transcript.ts";
import { type Answer, Wire } from "./support/wire.ts";

const FRAMES = Number(process.env.FUZZ_FRAMES ?? 9_400);
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 600);

/** Users whose own tokens are used against the Worker; each has a tab besides that minds its own business. */
const ATTACKED = 12;
const REQUEST_LANES = 4;

/** Fewer than the ten bad frames that end a connection, so that most of a burst is looked at. */
const BURST = 8;
const BROKEN_SHARE = 0.02;

/** A connection spoilt for good may take the platform ten seconds to end; nobody waits for that. */
const PATIENCE_MS = 150;

/** What is no request may never be answered. */
const ANSWER_MS = 1_000;

/** Of the last thing a bystander says. */
const LAST = "last";

/** Every so many attackers one may ask the agent, which costs the runtime more than all else. */
const AGENTS_EVERY = 6;

/** A neighbour says something every so many inputs, and asks something every so many things it says. */
const INPUTS_PER_WORD = 200;
const WORDS_PER_QUESTION = 40;

const GROWTH = 1.3;
const GROWTH_MIB = 30;

const SECRET = newSecret();

/** A stack or a place in the code. */
const INSIDE = /(?:\n|\\n)\s*at |\.[jt]s:\d|\.ts:|node_modules|file:\/\/\//;
/** On everything the Worker answers. */
const OURS = /^x-content-type-options:/im;
/** What the dev server itself says to what is no request and never reaches the Worker. */
const PLATFORM =
  /^(?:ERROR: Unrecognized request method\.|Internal Server Error|TypeError: Fetch API cannot load: .*\n\s+at Object\.fetch \(\S+\/core\/entry\.worker\.js:[\d:]+\))$/;
/** What it says when the Worker has answered before it had read a body, or the body breaks off. */
const UNREAD = "Error: Network connection lost.";
/** What a fault of ours, or of the runtime, writes. */
const FAULT = /uncaught|unhandled|"level":"(?:error|warn)"|\[ERROR\]|exception/i;

/** What the runtime writes about bytes that are no WebSocket frame, no URL, or a CONNECT, and of upgrades whose client is gone. */
const RUNTIME =
  /(?:kj|workerd)\/\S+: failed: remote\.jsg\.(?:Error: WebSocket protocol error|TypeError: Invalid URL string|Error: Handler does not export a connect)|exception outcome, but no actual exceptions/;

let server: DevServer;

beforeAll(async () => {
  server = await startDevServer({
    config: "test/e2e/support/fuzz.toml",
    vars: { ENVIRONMENT: "production", JWT_SECRET: SECRET },
  });
});

afterAll(async () => {
  await server?.stop();
});

describe("inputs nobody should send", () => {
  test("[X9] make the Worker answer no 500, show no stack, lose no other connection and grow no memory", async () => {
    const luck = chance();
    print(`fuzz: SEED=${luck.seed}`);
    const begun = performance.now();
    const neighbours = await Promise.all(["one", "other"].map(neighbour));
    const attack = new Attack();
    const bystanders = await Promise.all(
      Array.from({ length: ATTACKED }, (_, index) => Bystander.of(attacked(index), attack)),
    );
    const targets = await targetsOf(server);
    attack.onInput = (count) => void gossip(neighbours, count);

    await strike(attack, luck, targets, 0.5);
    const half = residentMiB(server.pid);
    await strike(attack, luck, targets, 1);
    const whole = residentMiB(server.pid);

    const seconds = (performance.now() - begun) / 1_000;
    print(
      `fuzz: ${attack.inputs} inputs in ${seconds.toFixed(0)} s, ${Math.round(attack.inputs / seconds)}/s`,
    );
    print(
      `fuzz: workerd ${half.toFixed(0)} MiB after the first half, ${whole.toFixed(0)} MiB after the second`,
    );
    print(attack.report());
    expect(attack.violations).toEqual([]);
    for (const one of bystanders) await one.expectUnharmed();
    for (const tab of neighbours) await expectUnharmed(tab);
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: "ok", protocol: 1 });
    expect(
      server
        .output()
        .split("\n")
        .filter((line) => FAULT.test(line) && !RUNTIME.test(line)),
    ).toEqual([]);
    expect(whole).toBeLessThan(GROWTH * half + GROWTH_MIB);
    expect(attack.inputs).toBeGreaterThanOrEqual(FRAMES + REQUESTS);
  }, 600_000);
});

/** Everybody attacks at once until this share of the inputs has been sent. */
async function strike(attack: Attack, luck: Chance, targets: Targets, share: number): Promise<void> {
  const lane = () => chance(luck.whole(0, 2 ** 31));
  await Promise.all([
    ...Array.from({ length: ATTACKED }, (_, index) => sendFrames(attack, lane(), index, share * FRAMES)),
    ...Array.from({ length: REQUEST_LANES }, () => sendRequests(attack, lane(), targets, share * REQUESTS)),
  ]);
}

function attacked(index: number): string {
  return `attacked-${index}`;
}

async function tokenOf(sub: string, claims: Record<string, unknown> = {}, ttl_s = 3_600): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setIssuedAt(now - 60)
    .setExpirationTime(now + ttl_s)
    .sign(new TextEncoder().encode(SECRET));
}

/** Those who send requests may sign out and invalidate each other, but nobody who minds their own business. */
async function targetsOf({ url }: DevServer): Promise<Targets> {
  const subs = ["caller-1", "caller-2", "\ud800", "x".repeat(255)];
  const tokens = await Promise.all([
    ...subs.map((sub) => tokenOf(sub)),
    tokenOf("service", { permissions: ["service"] }),
    tokenOf("admin", { permissions: ["admin", "chat"] }),
    tokenOf("expired", {}, -3_600),
    tokenOf("planless", { plan: "enterprise", permissions: [] }),
    tokenOf("odd", { permissions: ["chat", "\u0000"], realm: "nowhere" }),
    tokenOf("late", { nbf: 2 ** 40 }),
  ]);
  const user_ids = await Promise.all([...subs, "nobody"].map((sub) => userId("local", sub)));
  return { host: new URL(url).host, tokens, user_ids };
}

/** What has been sent so far, what came of it, and what should not have. */
class Attack {
  inputs = 0;
  frames = 0;
  requests = 0;
  readonly violations: string[] = [];
  onInput: (count: number) => void = () => {};
  readonly #outcomes = new Map<string, number>();

  count(outcome: string): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  sent(what: "frames" | "requests", count: number): void {
    this[what] += count;
    for (let i = 0; i < count; i += 1) this.onInput(++this.inputs);
  }

  /** A frame of the server, on whatever connection. */
  frame(text: string): void {
    const frame = parse(text);
    const valid = serverFrame.safeParse(frame);
    if (!valid.success) return this.accuse("not a frame of the protocol", text);
    if (INSIDE.test(text)) this.accuse("shows its inside", text);
    if (valid.data.type !== "error") return;
    const { code } = valid.data.payload;
    this.count(`error ${code}`);
    if (code === "internal") this.accuse("internal", text);
  }

  closed(code: number | undefined): void {
    this.count(`closed ${code}`);
    if (code === 4_204 || code === 1_011) this.accuse(`closed with ${code}`, "");
  }

  answer(kind: string, { status, head, body }: Answer, sent: Buffer): void {
    this.count(`${kind} ${status || "not answered"}`);
    if (isDevServers(kind, head, body.trim())) return this.count("  of which the dev server's own");
    const said = `${head}\n${body}`;
    if (INSIDE.test(said)) this.accuse("shows its inside", said.slice(0, 600));
    if (status < 500 || (status === 503 && isOurs(body))) return;
    this.accuse(
      `${kind} answered ${status}`,
      `${sent.toString("latin1").slice(0, 300)} => ${said.slice(0, 300)}`,
    );
  }

  accuse(what: string, evidence: string): void {
    if (this.violations.length < 20) this.violations.push(`${what}: ${evidence.slice(0, 800)}`);
  }

  report(): string {
    const lines = [...this.#outcomes].sort(([, one], [, other]) => other - one);
    return lines.map(([outcome, count]) => `fuzz: ${String(count).padStart(7)} ${outcome}`).join("\n");
  }
}

function isDevServers(kind: string, head: string, body: string): boolean {
  if (OURS.test(head)) return false;
  return (kind !== "upgrade" && body === UNREAD) || (kind === "raw bytes" && PLATFORM.test(body));
}

function isOurs(body: string): boolean {
  return Object.keys(ERRORS).some((code) => body.includes(`"code":"${code}"`));
}

function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Upgrades as it should be; with a cursor, it resumes. */
async function connected(token: string, attack: Attack, cursor = ""): Promise<Wire> {
  const wire = new Wire(server.url);
  wire.onText = (text) => attack.frame(text);
  wire.write(
    Buffer.from(
      `GET /v1/ws${cursor} HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: throughline.v1\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    ),
  );
  const answer = await wire.answer();
  if (answer.status !== 101) attack.accuse(`a good upgrade was answered ${answer.status}`, answer.body);
  await wire.until(() => wire.texts.some((text) => text.includes('"replay_completed"')));
  return wire;
}

/** Where a lane can go on from when it has to come back. */
interface Cursor {
  epoch: string;
  head: number;
}

async function sendFrames(attack: Attack, luck: Chance, index: number, quota: number): Promise<void> {
  const sub = attacked(index);
  const own = index % AGENTS_EVERY === 0 ? {} : { permissions: ["chat"] };
  const tokens = await Promise.all([
    tokenOf(sub, own),
    tokenOf(sub, { permissions: ["chat"] }),
    tokenOf("somebody else"),
  ]);
  const token = tokens[0] ?? "";
  const prefix = luck.whole(0, 2 ** 31).toString(36);
  let made = 0;
  let cursor = "";
  const known: Knowledge & Cursor = {
    ids: [],
    tokens,
    next: () => `${prefix}-${++made}`,
    epoch: "",
    head: 0,
  };
  while (attack.frames < quota) {
    const wire = await connected(token, attack, cursor);
    while (wire.closed === undefined && attack.frames < quota) {
      if (luck.between(0, 1) < BROKEN_SHARE) await breakUp(attack, luck, wire);
      else await burst(attack, luck, wire, known);
    }
    if (wire.closed !== undefined) attack.closed(wire.closed);
    wire.destroy();
    cursor = `?epoch=${known.epoch}&since=${known.head}`;
  }
}

/** Several frames at once; what follows the end of the connection is not counted. */
async function burst(attack: Attack, luck: Chance, wire: Wire, known: Knowledge & Cursor): Promise<void> {
  const sync = known.next();
  for (let i = 0; i < BURST; i += 1) wire.write(frameBytes(luck, known));
  wire.send({ type: "ping", id: sync, payload: {} });
  const synced = `"reply_to":"${sync}"`;
  await wire.until(() => wire.texts.some((text) => text.includes(synced)));
  const replies = wire.texts.splice(0);
  for (const text of replies) learn(attack, text, known);
  attack.sent(
    "frames",
    wire.closed === undefined ? BURST : replies.filter((text) => text.includes('"type":"error"')).length,
  );
}

function learn(attack: Attack, text: string, known: Knowledge & Cursor): void {
  const { type, payload, seq } = parse(text) ?? {};
  if (seq !== undefined) known.head = seq;
  if (type === "state_snapshot") known.head = payload.as_of_seq;
  if (type === "connection_established") known.epoch = payload.epoch;
  if (type !== "error") attack.count(`frame ${type}`);
  for (const id of [payload?.message_id, payload?.run_id, payload?.thread_id]) {
    if (typeof id === "string") known.ids.push(id);
  }
  known.ids.splice(0, Math.max(0, known.ids.length - 100));
}

/** What ends the connection, or spoils it for good. */
async function breakUp(attack: Attack, luck: Chance, wire: Wire): Promise<void> {
  wire.write(brokenBytes(luck));
  attack.sent("frames", 1);
  await within(
    wire.until(() => false),
    PATIENCE_MS,
  );
  if (wire.closed === undefined) wire.destroy();
  await wire.until(() => false);
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}

async function sendRequests(attack: Attack, luck: Chance, targets: Targets, quota: number): Promise<void> {
  while (attack.requests < quota) {
    const { kind, bytes, end } = attempt(luck, targets);
    const wire = new Wire(server.url);
    wire.onText = (text) => attack.frame(text);
    wire.write(bytes);
    if (end) wire.end();
    const timer = setTimeout(() => wire.destroy(), end ? ANSWER_MS : 10 * ANSWER_MS);
    const answer = await wire.answer();
    attack.answer(kind, answer, bytes);
    if (answer.status === 101) await wire.until(() => wire.texts.length > 0);
    clearTimeout(timer);
    wire.destroy();
    attack.sent("requests", 1);
  }
}

/** Another tab of somebody whose token is misused: it listens and acknowledges, and in the end it still can talk. */
class Bystander {
  readonly #wire: Wire;
  readonly #attack: Attack;
  #head = 0;
  #last_reply = "";

  constructor(wire: Wire, attack: Attack) {
    this.#wire = wire;
    this.#attack = attack;
    wire.onText = (text) => this.#heard(text);
  }

  static async of(sub: string, attack: Attack): Promise<Bystander> {
    return new Bystander(await connected(await tokenOf(sub), attack), attack);
  }

  async expectUnharmed(): Promise<void> {
    expect(this.#wire.closed).toBeUndefined();
    expect(this.#head).toBeGreaterThan(0);
    this.#wire.send({ type: "user_message", id: LAST, payload: { content: "still here", respond: false } });
    await this.#wire.until(() => this.#last_reply !== "");
    expect(this.#last_reply).toBe("message_ack");
    expect(this.#wire.closed).toBeUndefined();
    this.#wire.destroy();
  }

  #heard(text: string): void {
    this.#attack.frame(text);
    this.#wire.texts.length = 0;
    const { seq, type, payload, reply_to } = parse(text) ?? {};
    if (reply_to === LAST) this.#last_reply = type;
    if (type === "events_skipped") this.#head = payload.to;
    if (seq === undefined) return;
    if (seq !== this.#head + 1) this.#attack.accuse(`a bystander heard ${seq} after ${this.#head}`, text);
    this.#head = seq;
    if (seq % 16 === 0) this.#wire.send({ type: "ack", payload: { seq } });
  }
}

async function neighbour(name: string): Promise<Tab> {
  const tab = new Tab({ url: server.url, token: await tokenOf(`neighbour-${name}`), name });
  await until(() => tab.isOpen, 10_000);
  return tab;
}

async function gossip(neighbours: readonly Tab[], inputs: number): Promise<void> {
  if (inputs % INPUTS_PER_WORD !== 0) return;
  const words = inputs / INPUTS_PER_WORD;
  await Promise.all(neighbours.map((tab) => tab.say(words % WORDS_PER_QUESTION === 0)));
}

/** One connection from beginning to end, and everything answered, kept and in order. */
async function expectUnharmed(tab: Tab): Promise<void> {
  await until(
    () => tab.isQuiet,
    60_000,
    () => `${tab.name} is not quiet`,
  );
  expect(tab.changes.map(({ status }) => status).filter((status) => status !== "connecting")).toEqual([
    "open",
  ]);
  expect(tab.errors).toEqual([]);
  expect(new Set(tab.said.map(({ outcome }) => outcome))).toEqual(new Set(["acknowledged"]));
  expectGapless(tab.events);
  expectKept([tab], await readBack(server.url, await tokenOf(`neighbour-${tab.name}`)));
  tab.client.close();
}
