/** What only a real TCP connection shows: oversized frames, the closing handshake, clients that vanish. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { signIn } from "../../scripts/sign-in.ts";
import { type BadNetwork, badNetwork, type Link } from "./support/bad-network.ts";
import { print, until } from "./support/figures.ts";
import { type Inspection, inspect } from "./support/inspection.ts";
import { newcomer, type RawClient, rawConnect } from "./support/raw-client.ts";
import { type Chance, chance } from "./support/seed.ts";
import { Tab } from "./support/tab.ts";

/** One MiB more than the platform takes. */
const OVERSIZED_BYTES = 33 * 1024 * 1024;

/** A close takes a second to be believed, the first wait a quarter of one. */
const BACK_WITHIN_MS = 3_000;

const CYCLES = 200;
const AT_ONCE = 4;

/** Four times a message in 80 ms: within the 60/s of a user. */
const PACE_MS = 80;

/** Connections a user may have. */
const PLACES = 10;

let server: DevServer;
let network: BadNetwork;

beforeAll(async () => {
  server = await startDevServer({ config: "test/e2e/support/wrangler.toml" });
  network = await badNetwork(server.url);
});

afterAll(async () => {
  await network?.close();
  await server?.stop();
});

describe("a socket", () => {
  test("[X6] that sends 33 MiB in one frame is closed with 1009, and the user's other tab goes on", async () => {
    const [big, other] = await Promise.all([newcomer(network.url, "big"), newcomer(server.url, "big")]);
    big.send("x".repeat(OVERSIZED_BYTES));
    await until(() => big.isClosing, 5_000);
    // The platform says so at once, but takes 10 s to let go of the connection.
    for (const link of network.links()) link.cut("fin");
    expect(await big.closed).toMatchObject({ code: 1009 });
    expect(await other.say("unharmed")).toBe(1);
    await until(async () => (await inspect(server.url, other.user_id)).sockets === 1, 5_000);
    other.close();
  }, 20_000);

  test("[D2] that a client closes is answered with its code within a second, and is gone", async () => {
    const [leaving, staying] = await Promise.all([newcomer(server.url, "bye"), newcomer(server.url, "bye")]);
    const asked = performance.now();
    leaving.close(4_321, "bye");
    expect(await leaving.closed).toEqual({ code: 4_321, reason: "bye", wasClean: true });
    expect(performance.now() - asked).toBeLessThan(1_000);
    expect(await inspect(server.url, staying.user_id)).toMatchObject({ sockets: 1, attachments: 1 });
    staying.close();
    // A bare close has no code of its own on the wire.
    const bare = await newcomer(server.url, "bye");
    bare.close();
    expect(await bare.closed).toMatchObject({ wasClean: true });
  });

  test("[S21] [C27] that the server ends is back within 3 s, even if it has never said anything", async () => {
    const tab = new Tab({ url: network.url, token: await signIn(server.url, "invalid"), name: "invalid" });
    await until(() => tab.isOpen, 5_000);
    await tab.say(false);
    const { user_id, epoch } = greetingOf(tab);
    // Resumed with nothing missed, a client has nothing to acknowledge.
    const cut = performance.now();
    linkOf(tab.client.client_id).cut("rst");
    await until(() => tab.openedAfter(cut) !== undefined, BACK_WITHIN_MS);
    const asked = performance.now();
    await invalidate(user_id);
    await until(() => tab.openedAfter(asked) !== undefined, BACK_WITHIN_MS);
    expect(tab.changes.map(({ how }) => how)).toContain("state_invalidated");
    expect(greetingOf(tab).epoch).not.toBe(epoch);
    await until(() => tab.client.conversation.messages.length === 1, 1_000);
    tab.client.close();
  }, 20_000);

  test("[Q10] [Q11] that floods is refused, then closed with 4203, and another tab of its user is not harmed", async () => {
    const [loud, calm] = await Promise.all([newcomer(server.url, "flood"), newcomer(server.url, "flood")]);
    for (let i = 0; i < 1_000; i += 1) {
      loud.send({ type: "user_message", id: `f${i}`, payload: { content: `${i}`, respond: false } });
    }
    await until(() => loud.isClosing, 5_000);
    expect(await loud.closed).toMatchObject({ code: 4203, reason: "rate_limited" });
    const refused = loud.frames.filter(({ payload }) => payload.code === "rate_limited");
    expect(refused.at(-1)?.payload).toMatchObject({ fatal: true, retry_after_ms: 5_000 });
    const seq = await calm.say("unharmed");
    await calm.next((frame) => frame.seq === seq);
    const heard = calm.frames.flatMap((frame) => frame.seq ?? []);
    expect(heard).toEqual(Array.from({ length: seq }, (_, i) => i + 1));
    // A burst, and what the rate allows while the rest came in.
    expect(seq).toBeGreaterThan(60);
    expect(seq).toBeLessThan(300);
    calm.close();
  }, 20_000);

  test("[C24] of the SDK sends 150 messages written at once in order, and is never refused", async () => {
    const tab = new Tab({ url: server.url, token: await signIn(server.url, "writer"), name: "writer" });
    await Promise.all(Array.from({ length: 150 }, () => tab.say(false)));
    expect(tab.said.map(({ outcome }) => outcome)).toEqual(tab.said.map(() => "acknowledged"));
    expect(tab.errors).toEqual([]);
    await until(() => tab.client.conversation.messages.length === 150, 2_000);
    const shown = tab.client.conversation.messages.map(({ content }) => content);
    expect(shown).toEqual(tab.said.map(({ content }) => content));
    tab.client.close();
  }, 20_000);

  test("[X7] leaves nothing behind, 200 times, whether its client closes it or vanishes", async () => {
    const luck = chance();
    print(`sockets: SEED=${luck.seed}`);
    const [stormy, calm] = [new Visitor("stormy", luck), new Visitor("calm", luck)];
    await Promise.all([stormy.comeAndGo(), calm.stay()]);
    const quiet = await expectEmpty(calm);
    const left = await expectEmpty(stormy);
    expect({ ...left, instance: "" }).toEqual({ ...quiet, instance: "" });
    expect(left.rows).toMatchObject({ events: CYCLES, inbox: CYCLES, runs: 0 });
    await expectAllPlacesFree("stormy");
  }, 60_000);
});

function greetingOf({ client }: Tab) {
  if (client.state.status !== "open") throw new Error(`the client is ${client.state.status}`);
  return client.state.greeting;
}

async function invalidate(user_id: string): Promise<void> {
  const response = await fetch(`${server.url}/v1/users/${user_id}/invalidate`, {
    method: "POST",
    headers: { Authorization: `Bearer ${await signIn(server.url, "operator", { permissions: ["admin"] })}` },
  });
  expect(response.status).toBe(200);
}

/** Says `CYCLES` things, however often it has to come back for that. */
class Visitor {
  readonly #sub: string;
  readonly #luck: Chance;
  #user_id = "";

  constructor(sub: string, luck: Chance) {
    this.#sub = sub;
    this.#luck = luck;
  }

  get user_id(): string {
    return this.#user_id;
  }

  /** Every message on a connection of its own, which ends in one way or another. */
  async comeAndGo(): Promise<void> {
    const token = await signIn(server.url, this.#sub);
    await inParallel(async (content) => {
      // Cut off before the answer, it cannot know; so it comes back with the same id until it does.
      while (!(await this.#visit(token, content)));
    });
  }

  /** Every message over a few connections that stay until all is said. */
  async stay(): Promise<void> {
    const tabs = await Promise.all(Array.from({ length: AT_ONCE }, () => newcomer(server.url, this.#sub)));
    await inParallel(async (content, lane) => {
      // Within the rate of a user, which 200 messages at once are not.
      await pause(PACE_MS);
      await tabs[lane]?.say(content, content);
    });
    for (const tab of tabs) tab.close();
    this.#user_id = tabs[0]?.user_id ?? "";
  }

  /** True if the message was acknowledged. */
  async #visit(token: string, content: string): Promise<boolean> {
    const client_id = crypto.randomUUID();
    const client = await rawConnect(network.url, { token, query: { client_id } });
    this.#user_id = client.user_id;
    const way = this.#luck.pick(["close", "fin", "rst", "rst at once"] as const);
    const said = client.say(content, content).then(
      () => true,
      () => false,
    );
    const known = way === "rst at once" ? false : await said;
    if (way === "close") client.close(4_000 + this.#luck.whole(0, 1_000));
    else linkOf(client_id).cut(way === "fin" ? "fin" : "rst");
    await client.closed;
    return known || (await said);
  }
}

function linkOf(client_id: string): Link {
  const link = network.links().find(({ path }) => path.includes(client_id));
  if (link === undefined) throw new Error("no such connection");
  return link;
}

async function inParallel(say: (content: string, lane: number) => Promise<void>): Promise<void> {
  const all = Array.from({ length: CYCLES }, (_, index) => `message ${index}`);
  const lanes = Array.from({ length: AT_ONCE }, async (_, lane) => {
    for (let content = all.pop(); content !== undefined; content = all.pop()) await say(content, lane);
  });
  await Promise.all(lanes);
}

/** What is left once every close has arrived. */
async function expectEmpty({ user_id }: Visitor): Promise<Inspection> {
  await until(async () => (await inspect(server.url, user_id)).sockets === 0, 5_000);
  return inspect(server.url, user_id);
}

/** A connection that is still remembered would take up one of ten places. */
async function expectAllPlacesFree(sub: string): Promise<void> {
  const token = await signIn(server.url, sub);
  const tabs: RawClient[] = [];
  for (let place = 0; place < PLACES; place += 1) tabs.push(await rawConnect(server.url, { token }));
  await expect(rawConnect(server.url, { token })).rejects.toThrow("ended");
  for (const tab of tabs) tab.close();
}
