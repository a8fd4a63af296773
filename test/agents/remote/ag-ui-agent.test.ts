/** Asking an AG-UI agent somewhere else, and reading what it answers. */
import { RunAgentInputSchema } from "@ag-ui/core/schemas";
import { RunAgentInputSchema as RunAgentInputSchema0 } from "ag-ui-client-0";
import { describe, expect, test } from "vitest";
import type { runRemote } from "../../../src/agents/remote/ag-ui-agent.ts";
import type { Fed } from "../../../src/protocol/feeding.ts";
import { MAX_FED } from "../../../src/protocol/feeding.ts";
import { Endpoint, EVENTS, settled } from "./endpoint.ts";
import { call, done, ending, expectLegal, message, type Sent, sse, started, textOf } from "./support.ts";

type Batches = ReturnType<typeof runRemote>;

async function all(batches: Batches): Promise<Fed[]> {
  const fed: Fed[] = [];
  for await (const batch of batches) fed.push(...batch);
  return fed;
}

/** Everything at once. */
async function whole(...pieces: readonly (string | Uint8Array)[]): Promise<Fed[]> {
  const endpoint = new Endpoint();
  const batches = all(endpoint.run());
  await settled();
  endpoint.send(...pieces);
  endpoint.hangUp();
  const fed = await batches;
  expectLegal(fed);
  return fed;
}

/** Has begun to answer. */
async function begun(): Promise<{
  endpoint: Endpoint;
  batches: Batches;
  next: () => Promise<readonly Fed[]>;
}> {
  const endpoint = new Endpoint();
  const batches = endpoint.run();
  const first = batches.next();
  await settled();
  endpoint.events(started, message("m")[0] as Sent, delta("Hello"));
  expect((await first).value).toEqual([text(0, "Hello")]);
  const next = async () => {
    const { done: over, value } = await batches.next();
    return over === true ? [] : value;
  };
  return { endpoint, batches, next };
}

const delta = (delta: string): Sent => ({ type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta });
const text = (offset: number, delta: string) => ({ type: "partial_result", payload: { offset, delta } });
const END = message("m")[1] as Sent;

describe("the request", () => {
  test("[R8] is one that agents of 1.0 and 0.0.x understand", async () => {
    const endpoint = new Endpoint().answers(new Response(sse([started, done]), { headers: EVENTS }));
    const input = {
      thread_id: "u_1:main",
      run_id: "r_1",
      messages: [
        { id: "m_1", role: "user" as const, content: "hello" },
        { id: "a_1", role: "assistant" as const, content: "good day" },
        { id: "m_2", role: "user" as const, content: "?" },
      ],
      state: { a: 1 },
      forwarded_props: { b: 2 },
    };
    const headers = { Authorization: "Bearer x", Accept: "text/html" };
    await all(endpoint.run({ input, headers }));
    const [{ url, init }] = endpoint.asked as [(typeof endpoint.asked)[0]];
    const body = JSON.parse(String(init.body));
    expect(body).toEqual({
      threadId: "u_1:main",
      runId: "r_1",
      protocolVersion: "1.0",
      state: { a: 1 },
      messages: input.messages,
      tools: [],
      context: [],
      forwardedProps: { b: 2 },
    });
    expect(RunAgentInputSchema.parse(body)).toEqual(body);
    expect(RunAgentInputSchema0.parse(body)).toMatchObject({ threadId: "u_1:main", runId: "r_1" });
    expect([url, init.method, init.redirect, init.headers]).toEqual([
      "https://agent.test/secret-path",
      "POST",
      "manual",
      { Authorization: "Bearer x", Accept: "text/event-stream", "Content-Type": "application/json" },
    ]);
  });

  test("[R8] is not made before anybody waits for an answer, and made once", async () => {
    const endpoint = new Endpoint();
    const batches = endpoint.run();
    await settled();
    expect(endpoint.asked).toHaveLength(0);
    const first = batches.next();
    await settled();
    endpoint.breakOff();
    await first;
    expect(endpoint.asked).toHaveLength(1);
  });
});

describe("an agent that refuses what it does not know", () => {
  const OLD = ["threadId", "runId", "state", "messages", "tools", "context", "forwardedProps"];
  const fieldsOf = ({ asked }: Endpoint) =>
    asked.map(({ init }) => Object.keys(JSON.parse(String(init.body))).sort());

  test("[R8] is asked once more in the words of 0.0.x", async () => {
    const endpoint = new Endpoint().knowsOnly(...OLD);
    const batches = all(endpoint.run());
    await settled();
    endpoint.events(started, ...message("m", "Hello"), done);
    expect(ending(await batches)).toMatchObject({ status: "succeeded", content: "Hello" });
    const old = [...OLD].sort();
    expect(fieldsOf(endpoint)).toEqual([[...old, "protocolVersion"].sort(), old]);
  });

  test("[R8] is told it again each time: nothing is remembered", async () => {
    const endpoint = new Endpoint().knowsOnly(...OLD);
    for (const _ of [1, 2]) {
      const batches = all(endpoint.run());
      await settled();
      endpoint.breakOff();
      await batches;
    }
    expect(endpoint.asked).toHaveLength(4);
  });

  test("[R9] [R10] and then refuses that, too, or says nothing in time, is asked no third time", async () => {
    const refusing = new Endpoint().knowsOnly("threadId");
    expect(ending(await all(refusing.run()))).toMatchObject({ error: { code: "agent_http_error" } });
    expect(refusing.asked).toHaveLength(2);
    const silent = new Endpoint();
    let asked = 0;
    const fetch = (): Promise<Response> => {
      asked += 1;
      return asked === 1
        ? Promise.resolve(new Response("", { status: 400 }))
        : new Promise<Response>(() => undefined);
    };
    const batches = all(silent.run({ fetch }));
    await silent.clock.pass(30_000);
    expect(ending(await batches)).toMatchObject({ error: { code: "agent_timeout" } });
    expect(asked).toBe(2);
  });
});

describe("what goes wrong on the way", () => {
  const not = (status: number, headers = {}) =>
    new Response("a secret", { status, headers: { ...EVENTS, ...headers } });
  const answer = (type?: string) => {
    const response = new Response("data: {}\n\n");
    if (type === undefined) response.headers.delete("Content-Type");
    else response.headers.set("Content-Type", type);
    return response;
  };

  test.each<[string, () => Response | Promise<Response>, string, boolean, number?]>([
    ["an error of its own", () => not(503), "agent_http_error", true],
    ["too many requests", () => not(429), "agent_http_error", true],
    ["a request it does not like", () => not(422), "agent_http_error", false, 2],
    ["a redirect", () => not(307, { Location: "https://elsewhere.test" }), "agent_redirected", false],
    ["JSON", () => answer("application/json"), "agent_bad_response", false],
    ["almost a stream", () => answer("text/event-streams"), "agent_bad_response", false],
    ["nothing that says what it is", () => answer(), "agent_bad_response", false],
    ["no body", () => new Response(null, { headers: EVENTS }), "agent_bad_response", false],
    ["no connection", () => Promise.reject(new Error("a secret")), "agent_unreachable", true],
  ])("[R9] is named: %s", async (_, respond, code, retryable, times = 1) => {
    const endpoint = new Endpoint().answers(respond());
    const fed = await all(endpoint.run());
    expectLegal(fed);
    expect(ending(fed)).toMatchObject({ status: "failed", content: "", error: { code, retryable } });
    expect(JSON.stringify(fed)).not.toMatch(/secret|agent\.test|elsewhere/);
    expect([endpoint.asked.length, endpoint.clock.armed]).toEqual([times, 0]);
  });

  test.each<[string, (endpoint: Endpoint) => void]>([
    ["ends", (endpoint) => endpoint.hangUp()],
    ["breaks", (endpoint) => endpoint.breakOff()],
  ])("[R9] keeps the text where the stream %s before the run does", async (_, cut) => {
    const { endpoint, next } = await begun();
    cut(endpoint);
    const last = await next();
    expect(ending(last)).toMatchObject({
      status: "interrupted",
      content: "Hello",
      error: { code: "agent_stream_cut", retryable: true },
    });
    expect(JSON.stringify(last)).not.toContain("secret");
  });

  test("[R9] does not matter where lines are garbage, ends of lines others, or bytes come one by one", async () => {
    const events = [started, ...message("m", "é😀", "x"), done];
    const odd = `\u{feff}: hello\r\nretry: 10\r\n\r\ndata: not json\n\ndata: [1]\n\ndata\n\nnonsense\n\nevent: x\nid: 7\n${sse(events)}`;
    const bytes = new TextEncoder().encode(odd.replaceAll("\n\n", "\r\n\r\n"));
    const fed = await whole(...Array.from(bytes, (_, i) => bytes.slice(i, i + 1)));
    expect(ending(fed)).toMatchObject({ status: "succeeded", content: "é😀x" });
  });

  test("[R9] does not matter where the last line has no end", async () => {
    const fed = await whole(sse([started, ...message("m", "so"), done]).trimEnd());
    expect(ending(fed)).toMatchObject({ status: "succeeded", content: "so" });
    const cut = await whole(sse([started, ...message("m", "so"), done]).slice(0, -10));
    expect(ending(cut).error.code).toBe("agent_stream_cut");
  });

  test("[R9] is named where one event is too large, or all of them are", async () => {
    const huge = await whole(sse(message("m", "so")), `data: ${"x".repeat(5 * 1024 * 1024)}`);
    expect(ending(huge)).toMatchObject({
      status: "failed",
      content: "so",
      error: { code: "agent_event_too_large" },
    });
    const snapshot = { type: "MESSAGES_SNAPSHOT", messages: ["x".repeat(5 * 1024 * 1024)] };
    const in_one_chunk = await whole(sse([...message("m", "so"), snapshot, ...message("n", "on"), done]));
    expect(ending(in_one_chunk)).toMatchObject({ content: "so", error: { code: "agent_event_too_large" } });
    const endpoint = new Endpoint();
    const batches = all(endpoint.run({ limits: { stream_bytes: 100_000 } }));
    await settled();
    for (let i = 0; i < 101; i += 1) endpoint.send(`: ${"x".repeat(1_000)}\n`);
    expect(ending(await batches).error.code).toBe("agent_too_much");
    expect(endpoint.cancelled).toBe(true);
  });
});

describe("silence", () => {
  test("[R10] before an answer ends the run", async () => {
    const endpoint = new Endpoint().answers(new Promise(() => {}));
    const batches = all(endpoint.run());
    await endpoint.clock.pass(29_999);
    expect(endpoint.asked[0]?.init.signal?.aborted).toBe(false);
    await endpoint.clock.pass(1);
    expect(ending(await batches)).toMatchObject({ status: "failed", error: { code: "agent_timeout" } });
    expect(endpoint.asked[0]?.init.signal?.aborted).toBe(true);
  });

  test("[R10] in an answer ends the run with its text; a comment is no silence", async () => {
    const { endpoint, batches } = await begun();
    const rest = all(batches);
    await endpoint.clock.pass(299_999);
    endpoint.send(": still here\n\n");
    await endpoint.clock.pass(299_999);
    expect(endpoint.cancelled).toBe(false);
    await endpoint.clock.pass(1);
    expect(ending(await rest)).toMatchObject({
      status: "interrupted",
      content: "Hello",
      error: { code: "agent_silent", retryable: true },
    });
    expect([endpoint.cancelled, endpoint.clock.armed]).toEqual([true, 0]);
  });

  test("[R10] of whoever feeds is not that of the agent", async () => {
    const { endpoint, next } = await begun();
    await endpoint.clock.pass(1_000_000);
    endpoint.events(END, done);
    expect(ending(await next())).toMatchObject({ status: "succeeded", content: "Hello" });
  });

  test("[R10] that is allowed makes empty batches: the run is still being fed", async () => {
    const { endpoint, next } = await begun();
    for (let i = 0; i < 3; i += 1) {
      const empty = next();
      await endpoint.clock.pass(15_000);
      expect(await empty).toEqual([]);
    }
  });
});

describe("whoever does not want it any more", () => {
  test("[R10] is not told anything, and stops everything: before", async () => {
    const endpoint = new Endpoint();
    endpoint.abort.abort();
    expect([await all(endpoint.run()), endpoint.asked]).toEqual([[], []]);
  });

  test("[R10] while it waits for an answer", async () => {
    const endpoint = new Endpoint().answers(new Promise(() => {}));
    const batches = all(endpoint.run());
    await settled();
    endpoint.abort.abort();
    expect(await batches).toEqual([]);
    expect([endpoint.asked[0]?.init.signal?.aborted, endpoint.clock.armed]).toEqual([true, 0]);
  });

  test("[R10] while it reads", async () => {
    const { endpoint, batches } = await begun();
    const rest = all(batches);
    await settled();
    endpoint.abort.abort();
    expect(await rest).toEqual([]);
    expect([endpoint.cancelled, endpoint.asked[0]?.init.signal?.aborted, endpoint.clock.armed]).toEqual([
      true,
      true,
      0,
    ]);
  });

  test("[R10] or leaves the loop", async () => {
    const { endpoint, batches } = await begun();
    await batches.return(undefined);
    await settled();
    expect([endpoint.cancelled, endpoint.asked[0]?.init.signal?.aborted, endpoint.clock.armed]).toEqual([
      true,
      true,
      0,
    ]);
  });

  test("[R10] and once the run has ended the connection does too", async () => {
    const { endpoint, batches } = await begun();
    endpoint.events(END, done, ...message("n", "more"));
    expect(ending(await all(batches))).toMatchObject({ status: "succeeded", content: "Hello" });
    await settled();
    expect([endpoint.cancelled, endpoint.clock.armed]).toEqual([true, 0]);
  });
});

describe("batches", () => {
  test("[R11] bring the first text at once and what follows together", async () => {
    const { endpoint, next } = await begun();
    const second = next();
    for (const word of [" this", " is", " one"]) {
      endpoint.events(delta(word));
      await endpoint.clock.pass(10);
    }
    await endpoint.clock.pass(20);
    expect(await second).toEqual([text(5, " this is one")]);
    const third = next();
    endpoint.events(delta(" more"));
    await endpoint.clock.pass(49);
    endpoint.events(delta(" word"));
    await endpoint.clock.pass(1);
    expect(await third).toEqual([text(17, " more word")]);
  });

  test("[R11] bring events at once, after the text before them", async () => {
    const { endpoint, next } = await begun();
    const batch = next();
    endpoint.events(delta("!"), ...call("c", "look", "{}"));
    expect((await batch).map(({ type }) => type)).toEqual(["partial_result", "tool_executing"]);
  });

  test("[R11] are read for only when one is asked for", async () => {
    const { endpoint, next } = await begun();
    const before = endpoint.pulls;
    endpoint.events(delta("!"));
    endpoint.events(END, done);
    await endpoint.clock.pass(10_000);
    expect(endpoint.pulls).toBe(before);
    expect(textOf([text(0, "Hello") as Fed, ...(await next())])).toBe("Hello!");
    expect(ending(await next())).toMatchObject({ content: "Hello!" });
  });

  test("[R11] have no more than a feed takes", async () => {
    const endpoint = new Endpoint();
    const batches: (readonly Fed[])[] = [];
    const reading = (async () => {
      for await (const batch of endpoint.run()) batches.push(batch);
    })();
    await settled();
    const calls = Array.from({ length: 200 }, (_, i) => [
      ...message(`m${i}`, "x"),
      ...call(`${i}`, "look"),
    ]).flat();
    endpoint.events(started, ...calls, done);
    await reading;
    expectLegal(batches.flat());
    expect(batches.length).toBeGreaterThan(2);
    expect(Math.max(...batches.map(({ length }) => length))).toBe(MAX_FED);
  });
});
