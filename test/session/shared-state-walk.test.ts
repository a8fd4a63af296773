/**
 * Two tabs, each with the SDK's shared state, and a client that keeps no socket,
 * edit one document at random; frames are late, sockets drop, the object is
 * evicted and crashes. What was acknowledged is there once, and all end the same.
 */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agents/agent.ts";
import { newUser, stubOf } from "../support/client.ts";
import { BEGIN, Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

/** By name, not by type: the SDK is written against a browser's globals. */
const SDK = import.meta.glob<any>("../../src/client/shared-state.ts", { eager: true });
const { sharedState } = Object.values(SDK)[0];

const STEPS = 1_000;
const MAX_TRIES = 5;
const WHO = { ...principalWith(["chat"]), exp: BEGIN / 1_000 + 10_000_000 };

const silent: Agent = {
  name: "silent",
  version: "1",
  // biome-ignore lint/correctness/useYield: it has nothing to say
  *run() {
    return { finish_reason: "stop" };
  },
};

/** Deterministic: the same seed takes the same walk. */
function randomOf(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof randomOf>;

const turn = () => new Promise((resolve) => setTimeout(resolve));

/** What all of them have done. */
class Ledger {
  /** Tokens of updates that were acknowledged. */
  readonly done: string[] = [];
  readonly refused: string[] = [];
  conflicts = 0;
}

/** A tab: what its socket is sent reaches it when the walk says so. */
class Tab {
  readonly #desk: Desk;
  readonly #name: string;
  readonly #listeners = new Set<(frame: any) => void>();
  readonly #open = new Map<string, { text: string; resolve: (ack: any) => void; reject: (e: any) => void }>();
  readonly state: any;
  #socket: RecordingSocket | undefined;
  #read = 0;
  #ids = 0;
  #n = 0;
  #since: number | undefined;
  busy = false;
  resyncs = 0;

  constructor(desk: Desk, name: string) {
    this.#desk = desk;
    this.#name = name;
    this.state = sharedState({
      on: (_: unknown, listener: any) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      command: (command: any) => this.#command(command),
      resync: () => {
        this.resyncs += 1;
        return this.#command({ type: "resync", payload: {} });
      },
    });
  }

  /** As the SDK does: with its cursor, and everything unanswered again. */
  async connect(withVersion: boolean): Promise<void> {
    this.#n += 1;
    this.#read = 0;
    this.#socket = this.#desk.connect({
      principal: WHO,
      client_id: this.#name,
      n: `${this.#n}`,
      ...(this.#since === undefined ? {} : { epoch: "id1", since: `${this.#since}` }),
      ...(withVersion ? { state_version: `${this.state.version}` } : {}),
    });
    for (const { text } of [...this.#open.values()]) await this.#send(text);
  }

  /** The next frames that lie in its socket, at most so many. */
  take(count: number): void {
    const frames = this.#socket?.sent.slice(this.#read, this.#read + count) ?? [];
    this.#read += frames.length;
    for (const frame of frames) {
      this.#since = frame.payload?.as_of_seq ?? frame.seq ?? this.#since;
      for (const listener of this.#listeners) listener(structuredClone(frame));
      const command = this.#open.get(frame.reply_to);
      if (command === undefined) continue;
      this.#open.delete(frame.reply_to);
      if (frame.type === "error") command.reject({ ...frame.payload });
      else command.resolve(frame.payload);
    }
  }

  #command(command: any): Promise<unknown> {
    this.#ids += 1;
    const id = `${this.#name}-${this.#ids}`;
    const text = JSON.stringify({ ...command, id });
    return new Promise((resolve, reject) => {
      this.#open.set(id, { text, resolve, reject });
      void this.#send(text);
    });
  }

  async #send(text: string): Promise<void> {
    if (this.#socket !== undefined) await this.#desk.send(this.#socket, text);
  }
}

/** An edit of somebody who knows `document`; it leaves `token` behind exactly once. */
function edit(random: Random, document: any, token: string): any[] {
  const mark = [{ op: "add", path: `/tokens/${token}`, value: random(9) }];
  const first =
    document.tokens === undefined ? [{ op: "add", path: "", value: { tokens: {}, list: [] } }] : [];
  const list: any[] = document.list ?? [];
  const index = random(list.length + 1);
  const change = [
    [{ op: "add", path: `/list/${index}`, value: token }],
    list.length > 0 ? [{ op: "remove", path: `/list/${random(list.length)}` }] : [],
    list.length > 1 ? [{ op: "move", from: "/list/0", path: "/list/-" }] : [],
    [{ op: "copy", from: "/list", path: "/backup" }],
    [{ op: "test", path: "/list", value: list }],
    [{ op: "add", path: `/k${random(5)}`, value: { token } }],
  ][random(6)]!;
  return [...first, ...change, ...mark];
}

async function walk(desk: Desk, seed: number): Promise<Ledger> {
  const random = randomOf(seed);
  const ledger = new Ledger();
  const tabs = [new Tab(desk, "a"), new Tab(desk, "b")];
  for (const tab of tabs) await tab.connect(false);
  let made = 0;
  const now = () => {
    const read = desk.session.requests.readState(WHO);
    if (!read.ok) throw new Error("the state could not be read");
    return read.value;
  };

  function editIn(tab: Tab): void {
    if (tab.busy) return;
    made += 1;
    const token = `t${made}`;
    let tries = 0;
    tab.busy = true;
    const update = tab.state.update((document: any) => {
      tries += 1;
      return edit(random, document, token);
    }, MAX_TRIES);
    const ended = () => {
      tab.busy = false;
      expect(tries, `seed ${seed}`).toBeLessThanOrEqual(MAX_TRIES);
    };
    update
      .then(
        () => ledger.done.push(token),
        () => ledger.refused.push(token),
      )
      .then(ended);
  }

  /** Reads, patches and is gone; sometimes it was not fast enough. */
  async function editWithoutSocket(): Promise<void> {
    made += 1;
    const token = `t${made}`;
    // Nobody else's command is on its way: then what comes back can only be one thing.
    await turn();
    await turn();
    const known = now();
    const stale = random(3) === 0 ? Math.max(0, known.version - 1) : known.version;
    const socket = desk.connect({ principal: WHO, client_id: "http" });
    const payload = { base_version: stale, patch: edit(random, known.shared, token) };
    await desk.send(socket, { type: "state_update", id: token, payload });
    await turn();
    const reply = socket.sent.find(({ reply_to }) => reply_to === token);
    if (reply.type === "command_ack") {
      expect(reply.payload, `seed ${seed}`).toEqual({ version: known.version + 1, duplicate: false });
      ledger.done.push(token);
    } else {
      ledger.conflicts += 1;
      const details = { version: known.version, document: known.shared };
      expect(reply.payload, `seed ${seed}`).toMatchObject({ code: "conflict", details });
      ledger.refused.push(token);
    }
    desk.session.connections.drop(socket, 1_000, "");
  }

  async function reconnectAll(): Promise<void> {
    for (const tab of tabs) await tab.connect(random(2) === 0);
  }

  for (let step = 0; step < STEPS; step += 1) {
    desk.advance(1_000);
    const tab = tabs[random(2)]!;
    const action = random(40);
    if (action < 14) editIn(tab);
    else if (action < 26) tab.take(1 + random(6));
    else if (action < 32) await editWithoutSocket();
    else if (action < 34) await tab.connect(random(2) === 0);
    else if (action < 36) desk.evict();
    else if (action < 39) for (const each of tabs) each.take(100);
    else {
      desk.crash();
      await reconnectAll();
    }
    await turn();
  }
  for (let round = 0; round < 50 && (round < 3 || tabs.some(({ busy }) => busy)); round += 1) {
    desk.advance(1_000);
    await turn();
    for (const tab of tabs) tab.take(1_000);
  }
  const { version, shared } = now();
  for (const tab of tabs) {
    expect(tab.busy, `seed ${seed}`).toBe(false);
    expect({ version: tab.state.version, shared: tab.state.document }, `seed ${seed}`).toEqual({
      version,
      shared,
    });
    expect(tab.resyncs, `seed ${seed}`).toBe(0);
  }
  expect(version, `seed ${seed}`).toBe(ledger.done.length);
  // A first edit begins the document anew: only what came after the last of them can be asked for.
  const kept = Object.keys((shared as any).tokens);
  expect(
    kept.filter((token) => ledger.refused.includes(token)),
    `seed ${seed}`,
  ).toEqual([]);
  expect(kept.sort(), `seed ${seed}`).toEqual([...ledger.done].sort());
  return ledger;
}

describe("the shared state under random editing", () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

  test(`[Y11] two tabs and a client without a socket come to the same document, seed ${seed}`, {
    timeout: 60_000,
  }, async () => {
    await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
      const ledger = await walk(new Desk(storage, silent), seed);
      // Enough happened for this to mean something.
      expect(ledger.done.length, `seed ${seed}`).toBeGreaterThan(100);
      expect(ledger.conflicts, `seed ${seed}`).toBeGreaterThan(5);
    });
  });
});
