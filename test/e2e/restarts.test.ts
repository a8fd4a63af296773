/** The server is killed again and again while people are talking: what it acknowledged is there, once, in order. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { signIn } from "../../scripts/sign-in.ts";
import { distribution, print, until } from "./support/figures.ts";
import { type Chance, chance } from "./support/seed.ts";
import { type Said, Tab } from "./support/tab.ts";
import { expectGapless, expectKept, readBack } from "./support/transcript.ts";

const USERS = 20;
const KILLS = 10;

/**
 * Every fourth time the server lives until each connection counts as a good one
 * (5 s): to a client that never has one, it is a crash loop, and it backs off for longer.
 */
const CALM_EVERY = 4;
const CALM_MS = 5_200;

/** Answers take seconds, and the test waits for the last one. */
const LAST_KILL_WITH_RUNS = 6;

/** From the first answer of the new server to the first resumed client. */
const RESUMED_WITHIN_MS = 3_000;

class Person {
  readonly token: string;
  readonly tabs: Tab[] = [];
  readonly #name: string;
  readonly #url: string;

  constructor(url: string, name: string, token: string) {
    this.#url = url;
    this.#name = name;
    this.token = token;
    this.open();
  }

  get tab(): Tab {
    return this.tabs[this.tabs.length - 1] as Tab;
  }

  open(): void {
    const name = `${this.#name}.${this.tabs.length}`;
    this.tabs.push(new Tab({ url: this.#url, token: this.token, name }));
  }

  /** The page is closed in the middle of everything, and opened anew. */
  reload(): void {
    this.tab.client.close();
    this.open();
  }
}

let state: string;
let server: DevServer;
let port: number;

async function start(): Promise<void> {
  server = await startDevServer({
    persist_to: state,
    config: "test/e2e/support/wrangler.toml",
    ...(port === undefined ? {} : { port }),
  });
  port = Number(new URL(server.url).port);
}

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "throughline-restarts-"));
  await start();
});

afterAll(async () => {
  await server?.stop();
  await rm(state, { recursive: true, force: true, maxRetries: 5 });
});

interface Restart {
  readonly killed: number;
  /** When the new server answered for the first time. */
  readonly back: number;
  readonly present: readonly Tab[];
}

describe("a server that is killed", () => {
  test("[X1] [X2] ten times under load keeps what it acknowledged, once and in order, and resumes its clients within 3 s", async () => {
    const luck = chance();
    print(`restarts: SEED=${luck.seed}`);
    const people = await gather();
    const load = talk(people, luck);
    const restarts: Restart[] = [];
    for (let kill = 1; kill <= KILLS; kill += 1) {
      if (kill % CALM_EVERY === 0) await calm(people);
      await pause(luck.between(200, 1_500));
      if (kill === LAST_KILL_WITH_RUNS) load.askNoMore();
      restarts.push(await restart(people, luck));
    }
    await load.stop();
    await until(
      () => people.every(({ tab }) => tab.isQuiet),
      60_000,
      () => restless(people),
    );
    const first = restarts.map(({ killed, back, present }) =>
      Math.min(...present.map((tab) => resumedAfter(tab, killed, back))),
    );
    report(people, restarts, first);
    for (const person of people) {
      expectKept(person.tabs, await readBack(server.url, person.token));
      for (const tab of person.tabs) expectGapless(tab.events);
      person.tab.client.close();
    }
    expect(Math.max(...first)).toBeLessThan(RESUMED_WITHIN_MS);
  }, 400_000);
});

async function gather(): Promise<Person[]> {
  const people = await Promise.all(
    Array.from({ length: USERS }, async (_, index) => {
      const name = `restarts-${index}`;
      return new Person(server.url, name, await signIn(server.url, name));
    }),
  );
  await until(() => people.every(({ tab }) => tab.isOpen), 10_000);
  return people;
}

/** Everybody says one thing after another and now and then asks for an answer, until told to stop. */
function talk(people: readonly Person[], luck: Chance) {
  const going = { notes: true, questions: true };
  const keepOn = async (person: Person, what: keyof typeof going, from_ms: number, to_ms: number) => {
    while (going[what]) {
      await pause(luck.between(from_ms, to_ms));
      if (going[what]) await person.tab.say(what === "questions");
    }
  };
  const loops = people.flatMap((person) => [
    keepOn(person, "notes", 60, 200),
    keepOn(person, "questions", 500, 12_000),
  ]);
  const askNoMore = () => {
    going.questions = false;
  };
  const stop = async () => {
    askNoMore();
    going.notes = false;
    await Promise.all(loops);
  };
  return { askNoMore, stop };
}

/** Resolves when every connection has proved good. */
function calm(people: readonly Person[]): Promise<void> {
  const good = ({ tab }: Person) => performance.now() - (tab.open_since ?? Number.NaN) > CALM_MS;
  return until(() => people.every(good), 30_000);
}

async function restart(people: readonly Person[], luck: Chance): Promise<Restart> {
  const killed = performance.now();
  await server.kill();
  luck.pick(people).reload();
  const present = people.map(({ tab }) => tab);
  await start();
  const back = performance.now();
  // A reloaded tab has nothing to resume, so one of the others must.
  await until(() => present.some((tab) => Number.isFinite(resumedAfter(tab, killed, back))), 30_000);
  return { killed, back, present };
}

/** How long after the server was back; infinite if this tab did not resume (yet). */
function resumedAfter(tab: Tab, killed: number, back: number): number {
  const opened = tab.changes.find(({ at, status }) => at > killed && status === "open");
  return opened?.how === "resumed" ? Math.max(0, opened.at - back) : Number.POSITIVE_INFINITY;
}

function report(people: readonly Person[], restarts: readonly Restart[], first: readonly number[]): void {
  const all = restarts.flatMap(({ killed, back, present }, index) => {
    const over = (restarts[index + 1]?.killed ?? Number.POSITIVE_INFINITY) - back;
    // Who was not back before the next kill is counted with that one.
    return present.map((tab) => resumedAfter(tab, killed, back)).filter((ms) => ms < over);
  });
  const said = people.flatMap(({ tabs }) => tabs.flatMap((tab) => tab.said));
  const count = (outcome: Said["outcome"]) => said.filter((one) => one.outcome === outcome).length;
  const fates = `${count("acknowledged")} acknowledged, ${count("maybe")} maybe, ${count("refused")} refused`;
  print(`restarts: ${fates}; down for ${distribution(restarts.map(({ killed, back }) => back - killed))}`);
  print(`restarts: first client resumed ${distribution(first)}; every client ${distribution(all)}`);
}

function restless(people: readonly Person[]): string {
  const tabs = people.map(({ tab }) => tab).filter((tab) => !tab.isQuiet);
  return tabs
    .map(({ name, client, errors }) => `${name} ${JSON.stringify(client.state)} ${errors}`)
    .join("\n");
}
