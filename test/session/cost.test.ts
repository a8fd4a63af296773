import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { connect, newUser, stubOf, token } from "../support/client.ts";
import { meterOf } from "../support/meter.ts";

/** The standard turn: one user message, the five events with one tool call, deltas, a final report. */
function standardTurn(deltas: number) {
  return [{ think: "hm" }, { tool: "echo", key: "k" }, { text: "word ", times: deltas }, { report: "done" }];
}

async function costOfTurn(deltas: number): Promise<{ rows: number; alarms: number }> {
  const sub = newUser();
  const meter = await meterOf(sub);
  const client = await connect(sub);
  meter.read();
  client.say("q", "question", { data: { script: standardTurn(deltas) } });
  await client.next("agent_completed");
  return meter.read();
}

async function rowsOf(sub: string): Promise<number> {
  return await runInDurableObject(await stubOf(sub), (_, { storage }) => {
    const tables = storage.sql.exec(
      "SELECT count(*) AS n FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'",
    );
    return Number(tables.one().n);
  });
}

describe("what is billed", () => {
  test("[K1] a first connection writes at most 20 rows, alarms included", async () => {
    const sub = newUser();
    const meter = await meterOf(sub);
    await connect(sub);
    const { rows, alarms } = meter.read();
    expect({ rows, alarms }).toEqual({ rows: 12, alarms: 1 });
    expect(rows + alarms).toBeLessThanOrEqual(20);
  });

  test("[K2] a standard turn of 200 deltas writes at most 14 rows, alarms included", async () => {
    const { rows, alarms } = await costOfTurn(200);
    expect({ rows, alarms }).toEqual({ rows: 12, alarms: 1 });
    expect(rows + alarms).toBeLessThanOrEqual(14);
  });

  test("[K2] the length of the answer changes nothing", async () => {
    expect(await costOfTurn(2_000)).toEqual(await costOfTurn(0));
  });

  test("[K3] coming back, acknowledging, pinging, resyncing and leaving write nothing", async () => {
    const sub = newUser();
    const meter = await meterOf(sub);
    const first = await connect(sub);
    first.say("m", "hello", { respond: false });
    await first.next("user_message");
    meter.read();
    const epoch = first.of("connection_established")[0]?.payload.epoch;
    const again = await connect(sub, { epoch, since: 0 });
    again.send({ type: "ack", id: "a", payload: { seq: 1 } });
    await again.next("command_ack");
    again.send({ type: "ping", payload: { again: true } });
    await again.next("pong");
    again.send({ type: "resync", id: "r", payload: {} });
    await again.next("command_ack");
    again.close();
    await again.untilClosed();
    expect(meter.read()).toEqual({ rows: 0, alarms: 0 });
  });

  test("[K3] refused commands write nothing", async () => {
    const sub = newUser();
    const meter = await meterOf(sub);
    const client = await connect(sub);
    meter.read();
    client.say("a", "x", { thread_id: "unknown" });
    await client.next("error");
    client.send({ type: "run_cancel", id: "b", payload: { run_id: "r_1_x" } });
    await client.next("error");
    expect(meter.read()).toEqual({ rows: 0, alarms: 0 });
  });

  test("[K4] reading about a user who does not exist writes nothing", async () => {
    const sub = newUser();
    const headers = { Authorization: `Bearer ${await token(sub)}` };
    const threads = await exports.default.fetch("https://throughline.test/v1/threads", { headers });
    expect(await threads.json()).toEqual({ threads: [] });
    const messages = await exports.default.fetch("https://throughline.test/v1/threads/main/messages", {
      headers,
    });
    expect(messages.status).toBe(404);
    expect(await rowsOf(sub)).toBe(0);
  });
});

describe("what shared state costs", () => {
  test("[Y9] an update writes at most 4 rows, the first one its table too; refused or repeated it writes nothing", async () => {
    const sub = newUser();
    const meter = await meterOf(sub);
    const client = await connect(sub);
    meter.read();
    const costs: { rows: number; alarms: number }[] = [];
    const update = async (base_version: number, value: number) => {
      const id = `u${base_version}-${value}`;
      const patch = [{ op: "replace", path: "", value: { value } }];
      client.send({ type: "state_update", id, payload: { base_version, patch } });
      await client.next(({ reply_to }) => reply_to === id);
      costs.push(meter.read());
    };
    for (let version = 0; version < 20; version += 1) await update(version, version);
    await update(3, 0);
    await update(19, 19);
    expect(costs[0]).toEqual({ rows: 5, alarms: 0 });
    expect(costs.slice(1, 20)).toEqual(Array.from({ length: 19 }, () => ({ rows: 3, alarms: 0 })));
    expect(costs.slice(20)).toEqual([
      { rows: 0, alarms: 0 },
      { rows: 0, alarms: 0 },
    ]);
  });

  test("[Y9] beyond 200 patches each update also deletes the oldest", async () => {
    const sub = newUser();
    const meter = await meterOf(sub);
    const client = await connect(sub);
    const update = async (base_version: number) => {
      const id = `u${base_version}`;
      const patch = [{ op: "add", path: "/a", value: base_version }];
      client.send({ type: "state_update", id, payload: { base_version, patch } });
      await client.next(({ reply_to }) => reply_to === id);
    };
    await update(0);
    await runInDurableObject(await stubOf(sub), (_, { storage }) => {
      for (let i = -198; i <= 0; i += 1) storage.sql.exec("INSERT INTO patches VALUES (?, '[]')", i);
    });
    meter.read();
    await update(1);
    expect(meter.read()).toEqual({ rows: 4, alarms: 0 });
  });

  test("[Y9] who never has any has no table for it", async () => {
    const sub = newUser();
    const client = await connect(sub);
    client.say("m", "hello", { respond: false });
    await client.next("user_message");
    client.send({ type: "state_update", id: "x", payload: { base_version: 1, patch: [] } });
    await client.next("error");
    const tables = await runInDurableObject(await stubOf(sub), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'patches'").toArray(),
    );
    expect(tables).toEqual([]);
  });
});

describe("the HTTP readers", () => {
  test("[T4] list threads newest first and page through messages by before", async () => {
    const sub = newUser();
    const client = await connect(sub);
    const thread_id = crypto.randomUUID();
    for (let i = 1; i <= 5; i += 1) client.say(`m${i}`, `message ${i}`, { respond: false });
    client.say("t", "elsewhere", { respond: false, thread_id });
    await client.next(({ seq }) => seq === 6);
    const read = async (path: string) => {
      const headers = { Authorization: `Bearer ${await token(sub)}` };
      const response = await exports.default.fetch(`https://throughline.test${path}`, { headers });
      return (await response.json()) as {
        threads: { thread_id: string }[];
        messages: { content: string }[];
        next?: number;
      };
    };
    expect((await read("/v1/threads")).threads.map((thread) => thread.thread_id)).toEqual([
      thread_id,
      "main",
    ]);
    const last = await read("/v1/threads/main/messages?limit=2");
    expect(last.messages.map(({ content }) => content)).toEqual(["message 4", "message 5"]);
    const before = await read(`/v1/threads/main/messages?limit=3&before=${last.next}`);
    expect(before.messages.map(({ content }) => content)).toEqual(["message 1", "message 2", "message 3"]);
    expect(before.next).toBeUndefined();
    const fromElsewhere = await read("/v1/threads/main/messages?before=6");
    expect(fromElsewhere.messages.map(({ content }) => content).at(-1)).toBe("message 5");
    expect((await read(`/v1/threads/${thread_id}/messages?before=3`)).messages).toEqual([]);
  });
});
