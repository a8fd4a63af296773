/** The whole process tree is killed in the middle of a run, over real TCP and real files. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { signIn } from "../../scripts/sign-in.ts";
import { type Client, connect } from "../../src/client/index.ts";
import type { Event } from "../../src/protocol/events.ts";

const QUESTION = "I'm spending $50k/month on AI infrastructure. Help me optimize costs.";

const cleanUp: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function start(persist_to: string, port?: number): Promise<DevServer> {
  const server = await startDevServer({
    persist_to,
    config: "test/e2e/support/wrangler.toml",
    ...(port === undefined ? {} : { port }),
  });
  cleanUp.push(() => server.stop());
  return server;
}

function arrival(client: Client, type: Event["type"]): Promise<Event> {
  const { promise, resolve } = Promise.withResolvers<Event>();
  client.on("event", (event) => {
    if (event.type === type) resolve(event);
  });
  return promise;
}

describe("a crash", () => {
  test("[N11] kill -9 in mid-run: the same client sees one whole run, every seq once", async () => {
    const state = await mkdtemp(join(tmpdir(), "throughline-crash-"));
    cleanUp.push(() => rm(state, { recursive: true, force: true, maxRetries: 5 }));
    const first = await start(state);
    const port = Number(new URL(first.url).port);
    const events: Event[] = [];
    const client = connect({ url: first.url, getToken: () => signIn(first.url, "crash") });
    cleanUp.push(async () => client.close());
    client.on("event", (event) => events.push(event));
    const executing = arrival(client, "tool_executing");
    const completed = arrival(client, "agent_completed");
    const sent = await client.send(QUESTION);
    await executing;
    await first.kill();

    await start(state, port);
    const done = await completed;
    expect(done.payload).toMatchObject({ run_id: sent.run_id, status: "succeeded", attempts: 2 });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const ofRun = events.filter(({ type }) => type !== "user_message");
    expect(ofRun.map(({ payload }) => "run_seq" in payload && payload.run_seq)).toEqual(
      ofRun.map((_, i) => i),
    );
    expect(events.filter(({ type }) => type === "agent_completed")).toHaveLength(1);
    const run = client.conversation.runs.find(({ run_id }) => run_id === sent.run_id);
    expect(run?.text).toBe(client.conversation.messages.at(-1)?.content);
  });
});
