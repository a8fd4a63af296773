/** Everything a network can do to people with two tabs each, for a minute; then all tabs of a person are the same. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { signIn } from "../../scripts/sign-in.ts";
import { type BadNetwork, badNetwork } from "./support/bad-network.ts";
import { distribution, print, until } from "./support/figures.ts";
import { type Blow, KINDS, Mischief } from "./support/mischief.ts";
import { type Chance, chance } from "./support/seed.ts";
import { Tab } from "./support/tab.ts";
import { expectGapless, expectKept, readBack } from "./support/transcript.ts";

const USERS = 10;
const MISCHIEF_MS = 60_000;

/** No answer has to be waited for after the network is well again. */
const LAST_QUESTION_MS = 50_000;

/** In the end everything is gone at once, and comes back at once. */
const OUTAGE_MS = 1_500;

const RESUMED_WITHIN_MS = 3_000;

/** 25 s of silence, 10 s for an answer, and what a timer may be late by. */
const NOTICED_WITHIN_MS = 36_000;

interface Person {
  readonly token: string;
  readonly tabs: readonly [Tab, Tab];
}

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

describe("a bad network", () => {
  test("[X3] [X4] [C15] loses, doubles and reorders nothing, and what it broke is resumed within 3 s", async () => {
    const luck = chance();
    print(`network: SEED=${luck.seed}`);
    const people = await gather();
    const tabs = people.flatMap((person) => person.tabs);
    const listeners = people
      .filter((_, index) => listensOnly(index))
      .map(({ tabs }) => tabs[1].client.client_id);
    const mischief = new Mischief(network, luck, new Set(listeners));
    const talk = people.map((person, index) => converse(person, index, luck));
    await mischief.play(MISCHIEF_MS);

    await outage(OUTAGE_MS);
    expect(tabs.filter((tab) => tab.isOpen)).toEqual([]);
    const healed = performance.now();
    network.heal();
    await until(
      () => tabs.every((tab) => tab.isOpen),
      RESUMED_WITHIN_MS,
      () => states(tabs),
    );
    const resumed = tabs.map((tab) => (tab.openedAfter(healed) ?? Number.NaN) - healed);
    await Promise.all(talk);
    await until(
      () => people.every(isSettled),
      30_000,
      () => states(tabs),
    );
    report(tabs, mischief.blows, resumed);
    expect(new Set(mischief.blows.map(({ kind }) => kind))).toEqual(new Set(KINDS));
    for (const person of people) await expectSame(person);
    // While the network goes on misbehaving, the next attempt may meet the next mishap.
    const waits = tabs.flatMap((tab) => afterCuts(tab, mischief.blows));
    expect(waits.filter((ms) => ms >= RESUMED_WITHIN_MS).length).toBeLessThanOrEqual(waits.length / 20);
    expect(Math.max(...tabs.flatMap((tab) => noticed(tab, mischief.blows)))).toBeLessThan(NOTICED_WITHIN_MS);
    for (const tab of tabs) tab.client.close();
  }, 150_000);
});

async function gather(): Promise<Person[]> {
  const people = await Promise.all(
    Array.from({ length: USERS }, async (_, index) => {
      const token = await signIn(server.url, `network-${index}`);
      const tab = (which: string) => new Tab({ url: network.url, token, name: `network-${index}${which}` });
      return { token, tabs: [tab("a"), tab("b")] } as const;
    }),
  );
  await until(() => people.every(({ tabs }) => tabs.every((tab) => tab.isOpen)), 10_000);
  return people;
}

async function outage(for_ms: number): Promise<void> {
  network.refuse(true);
  for (const link of network.links()) link.cut("rst");
  await pause(for_ms);
}

/** The second tab of every third person says nothing, so that only a ping can tell it that nothing gets through. */
function listensOnly(index: number): boolean {
  return index % 3 === 0;
}

/** Says one thing after another, and asks for an answer now and then. */
async function converse({ tabs: [one, other] }: Person, index: number, luck: Chance): Promise<void> {
  const begun = performance.now();
  const keepOn = async (tab: Tab, respond: boolean, for_ms: number, from_ms: number, to_ms: number) => {
    while (performance.now() < begun + for_ms) {
      await pause(luck.between(from_ms, to_ms));
      await tab.say(respond);
    }
  };
  await Promise.all([
    keepOn(one, false, MISCHIEF_MS, 200, 900),
    keepOn(one, true, LAST_QUESTION_MS, 3_000, 9_000),
    ...(listensOnly(index) ? [] : [keepOn(other, false, MISCHIEF_MS, 200, 900)]),
  ]);
}

function isSettled({ tabs: [one, other] }: Person): boolean {
  return one.isQuiet && other.isQuiet && one.events.at(-1)?.seq === other.events.at(-1)?.seq;
}

async function expectSame({ token, tabs }: Person): Promise<void> {
  const [one, other] = tabs;
  const messages = await readBack(server.url, token);
  expectKept(tabs, messages);
  expectGapless(one.events);
  expect(one.events[0]?.seq).toBe(1);
  expect(other.events).toEqual(one.events);
  expect(other.client.conversation).toEqual(one.client.conversation);
  const shown = one.client.conversation.messages.map(({ seq, content }) => ({ seq, content }));
  expect(shown).toEqual(messages.map(({ seq, content }) => ({ seq, content })));
}

/** From a cut to the next connection, where nothing else befell this tab in between. */
function afterCuts(tab: Tab, blows: readonly Blow[]): number[] {
  const felt = blows.filter(({ client_id }) => client_id === undefined || client_id === tab.client.client_id);
  return felt.flatMap(({ kind, at }, index) => {
    const opened = tab.openedAfter(at);
    const disturbed = (felt[index + 1]?.at ?? Number.POSITIVE_INFINITY) < (opened ?? 0);
    return (kind === "fin" || kind === "rst") && opened !== undefined && !disturbed ? [opened - at] : [];
  });
}

/** How long it took until a tab gave up a connection that swallowed everything. */
function noticed(tab: Tab, blows: readonly Blow[]): number[] {
  const own = blows.filter(({ kind, client_id }) => kind === "swallow" && client_id === tab.client.client_id);
  return own.map(
    ({ at }) =>
      (tab.changes.find((change) => change.at > at && change.status === "waiting")?.at ?? Number.NaN) - at,
  );
}

function report(tabs: readonly Tab[], blows: readonly Blow[], resumed: readonly number[]): void {
  const kinds = Map.groupBy(blows, ({ kind }) => kind);
  const counts = [...kinds].map(([kind, { length }]) => `${length} ${kind}`).join(", ");
  const connections = tabs.flatMap(({ changes }) => changes.filter(({ status }) => status === "open")).length;
  const said = tabs.flatMap((tab) => tab.said);
  const events = tabs.reduce((sum, tab) => sum + tab.events.length, 0);
  print(
    `network: ${counts}; ${connections} connections, ${said.length} messages, ${events} events handed over`,
  );
  print(`network: resumed after a cut ${distribution(tabs.flatMap((tab) => afterCuts(tab, blows)))}`);
  print(`network: resumed at the end of it all ${distribution(resumed)}`);
  print(
    `network: a swallowing connection given up after ${distribution(tabs.flatMap((tab) => noticed(tab, blows)))}`,
  );
}

function states(tabs: readonly Tab[]): string {
  const wanting = tabs.filter((tab) => !tab.isQuiet);
  return wanting
    .map(({ name, client, errors }) => `${name} ${JSON.stringify(client.state)} ${errors}`)
    .join("\n");
}
