/** The server is killed at random points of runs with a model and three tools: nothing that was completed happens again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { signIn } from "../../scripts/sign-in.ts";
import { type Client, connect } from "../../src/client/index.ts";
import type { Event } from "../../src/protocol/events.ts";
import { ModelServer } from "../support/model-server.ts";
import { print, until } from "./support/figures.ts";
import { chance } from "./support/seed.ts";
import { ToolServer } from "./support/tool-server.ts";
import { expectGapless } from "./support/transcript.ts";

const USERS = 10;
const KILLS = 5;

/** About as long as a run lasts, so that its points are hit evenly. */
const SPREAD_MS = 1_400;

const ANSWER = `I will see to it.\n\n${Array.from({ length: 15 }, (_, index) => `word${index} `).join("")}`;

const TOOLS = ["reserve", "charge", "notify"];
const STEPS_OF_A_MODEL = 3;

let state: string;
let model: ModelServer;
let tools: ToolServer;
let server: DevServer;

async function start(port?: number): Promise<void> {
  server = await startDevServer({
    persist_to: state,
    config: "test/e2e/support/orders.toml",
    vars: { LLM_BASE_URL: model.base_url, LLM_MODEL: "fake", TOOLS_URL: tools.url },
    ...(port === undefined ? {} : { port }),
  });
}

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "throughline-kills-"));
  [model, tools] = await Promise.all([ModelServer.start(), ToolServer.start()]);
  await start();
});

afterAll(async () => {
  await server?.stop();
  await Promise.all([
    model?.stop(),
    tools?.stop(),
    rm(state, { recursive: true, force: true, maxRetries: 5 }),
  ]);
});

class Customer {
  readonly events: Event[] = [];
  readonly orders: string[] = [];
  readonly token: string;
  readonly client: Client;
  readonly #name: string;

  constructor(name: string, token: string) {
    this.#name = name;
    this.token = token;
    this.client = connect({ url: server.url, getToken: () => token });
    this.client.on("event", (event) => this.events.push(event));
  }

  order(): void {
    const order = `${this.#name}-${this.orders.length}`;
    this.orders.push(order);
    // Its fate is looked up in the end: it may be told only after the restart.
    this.client.send(`[[order:${order}]]`).catch((error: unknown) => print(`${order}: ${error}`));
  }

  get completed(): Event[] {
    return this.events.filter(({ type }) => type === "agent_completed");
  }

  /** The last that was heard of the newest run. */
  get point(): string {
    return this.events.at(-1)?.type ?? "nothing";
  }
}

describe("a run with a model and three tools", () => {
  test("[N11] [N12] [O22] killed at 50 random points completes each tool once, pays each answer once, and is answered whole", async () => {
    const luck = chance();
    print(`kills: SEED=${luck.seed}`);
    const port = Number(new URL(server.url).port);
    const customers = await Promise.all(
      Array.from({ length: USERS }, async (_, index) => {
        const name = `orders-${luck.seed}-${index}`;
        return new Customer(name, await signIn(server.url, name));
      }),
    );
    await until(() => customers.every(({ client }) => client.state.status === "open"), 10_000);
    const points: string[] = [];
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await Promise.all(
        customers.map(async (customer) => {
          await pause(luck.between(0, SPREAD_MS));
          customer.order();
        }),
      );
      points.push(...customers.map(({ point }) => point));
      await server.kill();
      await start(port);
      await until(
        () => customers.every(({ completed, orders }) => completed.length === orders.length),
        60_000,
        () => customers.map(({ point, client }) => `${point} ${JSON.stringify(client.state)}`).join("\n"),
      );
    }
    print(`kills: ${JSON.stringify(countBy(points))}`);
    for (const customer of customers) await expectWhole(customer);
    for (const { client } of customers) client.close();
  }, 240_000);
});

async function expectWhole({ events, orders, token, client }: Customer): Promise<void> {
  expectGapless(events);
  const completed = events.filter(({ type }) => type === "agent_completed");
  for (const [index, { payload }] of completed.entries()) {
    const { run_id, content, status, attempts } = payload as any;
    expect({ status, content }).toEqual({ status: "succeeded", content: ANSWER });
    expect(client.conversation.runs.find((run) => run.run_id === run_id)?.text ?? ANSWER).toBe(ANSWER);
    await expectJournal(run_id, token);
    expectOnce(orders[index] ?? "", attempts);
  }
}

/** The log has each call begun and completed once, and what each answer of the model cost once. */
async function expectJournal(run_id: string, token: string): Promise<void> {
  const response = await fetch(`${server.url}/v1/runs/${run_id}/journal`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const { events, models } = (await response.json()) as { events: any[]; models: any[] };
  expect(events.map(({ payload }) => payload.run_seq)).toEqual(events.map((_, index) => index));
  for (const type of ["tool_executing", "tool_completed"]) {
    const calls = events.filter((event) => event.type === type);
    expect(calls.map(({ payload }) => payload.tool_name).toSorted()).toEqual(TOOLS.toSorted());
    expect(new Set(calls.map(({ payload }) => payload.tool_call_id)).size).toBe(TOOLS.length);
  }
  // One that must not be repeated may have an outcome that nobody knows; the others have none but their own.
  for (const { type, payload } of events) {
    if (type !== "tool_completed") continue;
    if (payload.tool_name !== "charge") expect(payload.status).toBe("ok");
    else if (payload.status !== "ok") expect(payload.error.code).toBe("outcome_unknown");
  }
  expect(models.filter(({ result }) => result !== undefined)).toHaveLength(STEPS_OF_A_MODEL);
  expect(events.at(-1)).toMatchObject({ type: "agent_completed" });
}

/** Outside: nothing that must not be repeated was, and only what the kill had cut was asked for again. */
function expectOnce(order: string, attempts: number): void {
  const calls = (tool: string) => tools.calls.get(`${tool}/${order}`) ?? 0;
  expect(calls("charge")).toBeLessThanOrEqual(1);
  for (const tool of ["reserve", "notify"]) expect(calls(tool)).toBeGreaterThanOrEqual(1);
  const asked = model.requests.filter(({ question }) => question === `[[order:${order}]]`);
  const again = asked.length - STEPS_OF_A_MODEL + (calls("reserve") - 1) + (calls("notify") - 1);
  expect(again).toBeLessThanOrEqual(attempts - 1);
}

function countBy(words: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length]));
}
