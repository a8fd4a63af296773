/** The real Worker with an AG-UI agent over TCP, which can hang up, and be hung up on. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EventSchema } from "@ag-ui/core/schemas";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { signIn } from "../../scripts/sign-in.ts";
import { type Client, connect } from "../../src/client/index.ts";
import type { Event } from "../../src/protocol/events.ts";

const TOKEN = "token-of-the-agent";

/** One question and how it is answered. */
interface Exchange {
  readonly input: { readonly threadId: string; readonly messages: { readonly content: string }[] };
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly closed: Promise<unknown>;
}

let server: DevServer;
let agent: Server;
const exchanges: Exchange[] = [];
const arrived: ((exchange: Exchange) => void)[] = [];
const cleanUp: (() => void)[] = [];

beforeAll(async () => {
  agent = createServer((request, response) => void receive(request, response));
  agent.listen(0, "127.0.0.1");
  await once(agent, "listening");
  const { port } = agent.address() as AddressInfo;
  const vars = { AGENT_URL: `http://127.0.0.1:${port}/ag-ui`, AGENT_TOKEN: TOKEN, AGENT_NAME: "Ada" };
  server = await startDevServer({ config: "test/e2e/support/wrangler.toml", vars });
});

afterEach(() => {
  for (const step of cleanUp.splice(0)) step();
});

afterAll(async () => {
  await server?.stop();
  agent?.closeAllConnections();
  agent?.close();
});

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces = await request.toArray();
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  const input = JSON.parse(Buffer.concat(pieces).toString());
  const exchange = { input, request, response, closed: once(response, "close") };
  exchanges.push(exchange);
  arrived.shift()?.(exchange);
}

function nextExchange(): Promise<Exchange> {
  return new Promise((resolve) => arrived.push(resolve));
}

/** As version 1.0 has it: whatever is not is a mistake of this test. */
function send({ response }: Exchange, ...events: Readonly<Record<string, unknown>>[]): void {
  for (const event of events) response.write(`data: ${JSON.stringify(EventSchema.parse(event))}\n\n`);
}

const IDS = { threadId: "t", runId: "r" };
const BEGIN = [
  { type: "RUN_STARTED", ...IDS },
  { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" },
  { type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: "so far" },
];
const END = [
  { type: "TEXT_MESSAGE_END", messageId: "m" },
  { type: "RUN_FINISHED", ...IDS },
];

interface Person {
  readonly client: Client;
  readonly events: Event[];
  readonly ended: (run_id: unknown) => Promise<Event>;
  readonly writing: Promise<void>;
}

function person(sub: string): Person {
  const client = connect({ url: server.url, getToken: () => signIn(server.url, sub) });
  cleanUp.push(() => client.close());
  const events: Event[] = [];
  client.on("event", (event) => events.push(event));
  const isEnd = (run_id: unknown) => (event: Event) =>
    event.type === "agent_completed" && event.payload.run_id === run_id;
  return {
    client,
    events,
    ended: (run_id) =>
      new Promise((resolve) => {
        const known = events.find(isEnd(run_id));
        if (known !== undefined) resolve(known);
        client.on("event", (event) => isEnd(run_id)(event) && resolve(event));
      }),
    writing: new Promise((resolve) => {
      client.on("conversation", ({ runs }) => runs.some(({ text }) => text === "so far") && resolve());
    }),
  };
}

const ends = (events: readonly Event[]) => events.filter(({ type }) => type === "agent_completed");

describe("a remote agent over TCP", () => {
  test("[R12] [R13] [R20] answers as one of the Worker's own does, and is told who asks by a token", async () => {
    const { client, events, ended, writing } = person("answered");
    const asked = nextExchange();
    const { run_id, thread_id } = await client.send("a question");
    const exchange = await asked;
    expect(exchange.request.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(exchange.input.threadId).toMatch(new RegExp(`^u_.+:${thread_id}$`));
    expect(exchange.input.messages).toMatchObject([{ role: "user", content: "a question" }]);
    send(exchange, ...BEGIN);
    await writing;
    send(
      exchange,
      { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "look" },
      { type: "TOOL_CALL_END", toolCallId: "c" },
      { type: "TOOL_CALL_RESULT", messageId: "c-result", toolCallId: "c", content: "42" },
      ...END,
    );
    exchange.response.end();
    expect((await ended(run_id)).payload).toMatchObject({
      agent_name: "Ada",
      status: "succeeded",
      content: "so far",
    });
    expect(events.map(({ type }) => type)).toEqual([
      "user_message",
      "agent_started",
      "tool_executing",
      "tool_completed",
      "agent_completed",
    ]);
  });

  test("[R14] [R20] killed in the middle it leaves one interrupted, and is asked the next question", async () => {
    const { client, events, ended, writing } = person("cut");
    const asked = nextExchange();
    const { run_id } = await client.send("a question");
    const exchange = await asked;
    send(exchange, ...BEGIN);
    await writing;
    exchange.request.socket.destroy();
    expect((await ended(run_id)).payload).toMatchObject({
      status: "interrupted",
      content: "so far",
      error: { code: "agent_stream_cut", retryable: true },
    });
    const again = nextExchange();
    const second = await client.send("and now?");
    const next = await again;
    expect(next.input.messages.map(({ content }) => content)).toEqual(["a question", "so far", "and now?"]);
    send(next, ...BEGIN, ...END);
    next.response.end();
    await ended(second.run_id);
    expect(ends(events).map(({ payload }) => "status" in payload && payload.status)).toEqual([
      "interrupted",
      "succeeded",
    ]);
  });

  test("[R15] [R20] stopped by the user it is hung up on", async () => {
    const { client, events, ended, writing } = person("stopped");
    const asked = nextExchange();
    const { run_id } = await client.send("a question");
    const exchange = await asked;
    send(exchange, ...BEGIN);
    await writing;
    await client.cancel(`${run_id}`);
    await exchange.closed;
    expect((await ended(run_id)).payload).toMatchObject({ status: "cancelled", content: "so far" });
    expect(ends(events)).toHaveLength(1);
    expect(server.output()).not.toMatch(/so far|token-of|ag-ui/);
  });
});
