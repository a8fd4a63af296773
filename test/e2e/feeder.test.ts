/** The example feeder against the real server, over TCP: as its own process, which can be killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { type Client, connect } from "../../src/client/index.ts";
import type { Event } from "../../src/protocol/events.ts";

let server: DevServer;
let service: string;
const cleanUp: (() => void)[] = [];

beforeAll(async () => {
  server = await startDevServer({ config: "test/e2e/support/wrangler.toml" });
  service = (await devToken("feeder", ["service"])).token;
});

afterEach(() => {
  for (const step of cleanUp.splice(0)) step();
});

afterAll(() => server?.stop());

async function devToken(sub: string, permissions: string[]): Promise<{ token: string; user_id: string }> {
  const response = await fetch(`${server.url}/v1/dev/token`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sub, permissions }),
  });
  return (await response.json()) as { token: string; user_id: string };
}

interface Person {
  readonly user_id: string;
  readonly client: Client;
  readonly events: Event[];
  /** Resolves once an event like this was seen, before now or later. */
  seen(wanted: (event: Event) => boolean): Promise<Event>;
}

async function person(sub: string): Promise<Person> {
  const { token, user_id } = await devToken(sub, ["chat", "agents"]);
  const client = connect({ url: server.url, getToken: () => token });
  cleanUp.push(() => client.close());
  const events: Event[] = [];
  client.on("event", (event) => events.push(event));
  await new Promise<void>((resolve) => {
    client.on("state", ({ status }) => status === "open" && resolve());
  });
  return {
    user_id,
    client,
    events,
    seen: (wanted) =>
      new Promise((resolve) => {
        const known = events.find(wanted);
        if (known !== undefined) resolve(known);
        client.on("event", (event) => wanted(event) && resolve(event));
      }),
  };
}

function feeder(user_id: string, ...more: string[]): ChildProcess {
  const args = ["--url", server.url, "--token", service, "--user", user_id, ...more];
  const child = spawn(process.execPath, ["examples/feeder.mjs", ...args], { stdio: "inherit" });
  cleanUp.push(() => child.kill("SIGKILL"));
  return child;
}

const is = (type: Event["type"]) => (event: Event) => event.type === type;

function endOf(run_id: unknown) {
  return (event: Event) => event.type === "agent_completed" && event.payload.run_id === run_id;
}

/** Every frame of one run without what differs from run to run: its type and the names of its fields. */
function shapes(events: readonly Event[], run_id: unknown): Map<string, string[]> {
  const ofRun = events.filter(({ payload }) => "run_seq" in payload && payload.run_id === run_id);
  return new Map(ofRun.map(({ type, payload }) => [type, Object.keys(payload).sort()]));
}

describe("the example feeder", () => {
  test("[V15] answers a user whose tabs cannot tell it from an agent of the server", async () => {
    const { user_id, client, events, seen } = await person("fed");
    const texts = new Set<string>();
    client.on("conversation", ({ runs }) => {
      for (const { agent_name, text } of runs) if (agent_name === "counter") texts.add(text);
    });
    const child = feeder(user_id, "--text", "one two three");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    const done = await seen(is("agent_completed"));
    expect(done.payload).toMatchObject({
      agent_name: "counter",
      status: "succeeded",
      content: "There are 3 words in what was asked, as far as I can count.",
    });
    expect(events.map(({ type }) => type)).toEqual([
      "user_message",
      "agent_started",
      "agent_thinking",
      "tool_executing",
      "tool_completed",
      "agent_completed",
    ]);
    // It was there to be watched while it was written.
    expect(texts.size).toBeGreaterThan(3);

    const own = await client.send("how do I spend less on GPUs?");
    await seen(endOf(own.run_id));
    const fed = shapes(events, "run_id" in done.payload && done.payload.run_id);
    const embedded = shapes(events, own.run_id);
    for (const [type, fields] of fed) expect([type, fields]).toEqual([type, embedded.get(type)]);
    expect(client.conversation.messages.map(({ author }) => author?.name)).toEqual([
      "feeder",
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("[V15] killed in the middle ends its run once, as interrupted; another one answers the same message", async () => {
    const { user_id, client, events, seen } = await person("orphaned");
    const first = feeder(user_id, "--text", "one two", "--silent-after-ms", "2000", "--pause-ms", "300");
    const asked = await seen(is("user_message"));
    await seen(is("tool_completed"));
    first.kill("SIGKILL");
    const killed = performance.now();
    const ended = await seen(is("agent_completed"));
    expect(performance.now() - killed).toBeGreaterThan(1_500);
    expect(performance.now() - killed).toBeLessThan(8_000);
    expect(ended.payload).toMatchObject({ status: "interrupted", error: { code: "feeder_silent" } });

    const message = "message_id" in asked.payload ? `${asked.payload.message_id}` : "";
    const second = feeder(user_id, "--message", message, "--name", "second", "--pause-ms", "10");
    expect((await once(second, "exit"))[0]).toBe(0);
    await seen((event) => event.type === "agent_completed" && event.payload.agent_name === "second");
    expect(
      events.filter(is("agent_completed")).map(({ payload }) => "status" in payload && payload.status),
    ).toEqual(["interrupted", "succeeded"]);
    expect(client.conversation.threads[0]?.head_message_id).toBe(
      client.conversation.messages.at(-1)?.message_id,
    );
  });

  test("[V15] takes over from the agent, and stops when the user stops it", async () => {
    const { user_id, client, events, seen } = await person("taken over");
    const own = await client.send("how do I spend less on GPUs?");
    await seen(is("tool_executing"));
    const child = feeder(
      user_id,
      "--message",
      own.message_id,
      "--takeover",
      "--name",
      "Dana",
      "--pause-ms",
      "200",
    );
    const begun = await seen(
      (event) => event.type === "agent_started" && event.payload.agent_name === "Dana",
    );
    const [taken] = events.filter(endOf(own.run_id));
    expect(taken?.payload).toMatchObject({ status: "cancelled" });
    const run_id = "run_id" in begun.payload ? `${begun.payload.run_id}` : "";
    await seen((event) => event.type === "tool_completed" && event.payload.run_id === run_id);
    await client.cancel(run_id);
    expect((await once(child, "exit"))[0]).toBe(1);
    expect(events.filter(endOf(run_id))).toMatchObject([{ payload: { status: "cancelled" } }]);
  });
});
