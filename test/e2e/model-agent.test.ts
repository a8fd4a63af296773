/** The real Worker with a model server beside it: twenty users at once, some of whose calls fail. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { ModelServer } from "../support/model-server.ts";
import { distribution, print } from "./support/figures.ts";
import { newcomer, type RawClient } from "./support/raw-client.ts";

const USERS = 20;

/** The first finds everything cold: twenty new objects, and code that has never run. */
const ROUNDS = 4;

/** Every fifth user's call fails, each in another way. */
const EVERY = 5;
const FAILURES = [
  { question: "[[cut:2]]", content: "Hello, ", code: "model_stream_cut" },
  { question: "[[error:500:overloaded]]", content: "", code: "model_unavailable" },
  { question: "[[garbage]]", content: "Hel", code: "model_bad_response" },
  { question: "[[error:401:invalid_api_key]]", content: "", code: "model_refused" },
];

/** Those that a call may be tried again for: then it is, twice. */
const TRIES = 3;

let model: ModelServer;
let server: DevServer;

beforeAll(async () => {
  model = await ModelServer.start();
  server = await startDevServer({
    vars: { LLM_BASE_URL: model.base_url, LLM_MODEL: "fake", LLM_API_KEY: "sk-1" },
  });
});

afterAll(async () => {
  await server?.stop();
  await model?.stop();
});

async function asked(client: RawClient, content: string) {
  const from = client.frames.length;
  const begun = performance.now();
  client.send({ type: "user_message", id: crypto.randomUUID(), payload: { content } });
  await client.next(({ type }) => type === "agent_started", from);
  const first_ms = performance.now() - begun;
  const { payload } = await client.next(({ type }) => type === "agent_completed", from);
  return { first_ms, payload: payload as any };
}

describe("a model server beside the Worker", () => {
  test("[O21] of twenty users at once those whose call fails are told how, and the others are answered", async () => {
    const clients = await Promise.all(
      Array.from({ length: USERS }, (_, index) => newcomer(server.url, `model-${index}`)),
    );
    const failureOf = (index: number) =>
      index % EVERY === EVERY - 1 ? FAILURES[(index - EVERY + 1) / EVERY] : undefined;
    for (let round = 1; round <= ROUNDS; round += 1) {
      const ends = await Promise.all(
        clients.map((client, index) => asked(client, failureOf(index)?.question ?? "[[slow:5:20]]")),
      );
      for (const [index, { payload }] of ends.entries()) {
        const failure = failureOf(index);
        expect(payload).toMatchObject(
          failure === undefined
            ? { status: "succeeded", content: expect.stringMatching(/^word0 .*word19 $/) }
            : { status: "failed", content: failure.content, error: { code: failure.code } },
        );
      }
      const first = distribution(ends.map(({ first_ms }) => first_ms));
      print(`first event of a run of a model, round ${round}: ${first}`);
    }
    for (const client of clients) {
      expect(client.frames.filter(({ type }) => type === "agent_completed")).toHaveLength(ROUNDS);
      expect(client.frames.find(({ type }) => type === "agent_started")?.payload.agent_name).toBe("model");
      client.close();
    }
    const tries = (index: number) => (failureOf(index)?.code === "model_unavailable" ? TRIES : 1);
    expect(model.requests).toHaveLength(ROUNDS * clients.reduce((sum, _, index) => sum + tries(index), 0));
    expect(model.requests[0]?.headers.authorization).toBe("Bearer sk-1");
  });

  test("[O17] the model is offered the advisor's tools, and what they work out comes back to it", async () => {
    const client = await newcomer(server.url, "tools");
    const { payload } = await asked(client, '[[call:parse_usage:{"text":"service,cost\\nA,10\\n"}]]');
    expect(payload).toMatchObject({ status: "succeeded", content: "The tool has answered." });
    const result = model.requests.at(-1)?.body.messages.at(-1);
    expect(JSON.parse(result.content)).toMatchObject({ accepted: 1 });
    client.close();
  });
});
