import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { connect, newUser, stubOf } from "../support/client.ts";

const MESSAGE = { type: "user_message", id: "m", payload: { content: "hi", respond: false } };

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i += 1) value = [value];
  return value;
}

/** A `user_message` whose frame is exactly this many UTF-8 bytes long. */
function frameOf(bytes: number, content: string): string {
  const base = JSON.stringify({ ...MESSAGE, payload: { content, respond: false, metadata: { pad: "" } } });
  const pad = "x".repeat(bytes - new TextEncoder().encode(base).byteLength);
  return JSON.stringify({ ...MESSAGE, payload: { content, respond: false, metadata: { pad } } });
}

const BAD: ReadonlyArray<readonly [string, unknown, Record<string, unknown>]> = [
  ["text that is not JSON", "{not json", { code: "bad_json" }],
  ["an empty frame", "", { code: "bad_json" }],
  ["a bare string", '"hello"', { code: "bad_json" }],
  ["null", "null", { code: "bad_json" }],
  ["an array", "[1,2]", { code: "bad_json" }],
  ["a missing type", { id: "m", payload: {} }, { code: "invalid_payload", field: "type" }],
  ["a type that is not a string", { type: 7, payload: {} }, { code: "invalid_payload", field: "type" }],
  ["an unknown type", { type: "drop_tables", id: "m", payload: {} }, { code: "unknown_type", field: "type" }],
  ["a missing payload", { type: "user_message", id: "m" }, { code: "invalid_payload", field: "payload" }],
  ["a missing id", { ...MESSAGE, id: undefined }, { code: "invalid_payload", field: "id" }],
  ["an empty id", { ...MESSAGE, id: "" }, { code: "invalid_payload", field: "id" }],
  [
    "an id of 65 characters",
    { ...MESSAGE, id: "i".repeat(65) },
    { code: "invalid_payload", field: "id", limit: 64 },
  ],
  ["a numeric id", { ...MESSAGE, id: 5 }, { code: "invalid_payload", field: "id" }],
  ["missing content", { ...MESSAGE, payload: {} }, { code: "invalid_payload", field: "payload.content" }],
  [
    "empty content",
    { ...MESSAGE, payload: { content: "" } },
    { code: "invalid_payload", field: "payload.content" },
  ],
  [
    "content that is no text",
    { ...MESSAGE, payload: { content: {} } },
    { code: "invalid_payload", field: "payload.content" },
  ],
  [
    "content of 32 KiB + 1",
    { ...MESSAGE, payload: { content: "c".repeat(32 * 1024 + 1) } },
    { code: "too_large", field: "payload.content", limit: 32_768 },
  ],
  [
    "content over 32 KiB in bytes though not in characters",
    { ...MESSAGE, payload: { content: "é".repeat(16 * 1024 + 1) } },
    { code: "too_large", field: "payload.content", limit: 32_768 },
  ],
  [
    "a frame of 64 KiB + 1",
    frameOf(64 * 1024 + 1, "hi"),
    { code: "too_large", field: "frame", limit: 65_536 },
  ],
  [
    "a binary frame",
    new TextEncoder().encode(JSON.stringify(MESSAGE)).buffer,
    { code: "binary_unsupported" },
  ],
  [
    "nesting of 33 levels",
    { ...MESSAGE, payload: { content: "hi", data: { a: nested(30) } } },
    { code: "invalid_payload", field: "payload", limit: 32 },
  ],
  [
    "a key named __proto__",
    '{"type":"user_message","id":"m","payload":{"content":"hi","data":{"__proto__":{"x":1}}}}',
    { code: "invalid_payload", field: "payload.__proto__" },
  ],
  [
    "a key named constructor at the top",
    '{"type":"user_message","id":"m","constructor":{},"payload":{"content":"hi"}}',
    { code: "invalid_payload", field: "constructor" },
  ],
  [
    "an ack far below zero",
    '{"type":"ack","payload":{"seq":-1e308}}',
    { code: "invalid_payload", field: "payload.seq", limit: 0 },
  ],
  ["an ack without seq", { type: "ack", payload: {} }, { code: "invalid_payload", field: "payload.seq" }],
  [
    "a negative ack",
    { type: "ack", payload: { seq: -1 } },
    { code: "invalid_payload", field: "payload.seq" },
  ],
  [
    "a thread nobody knows",
    { ...MESSAGE, payload: { content: "hi", thread_id: "nope" } },
    { code: "not_found", field: "payload.thread_id" },
  ],
  [
    "a parent nobody knows",
    { ...MESSAGE, payload: { content: "hi", parent_message_id: "m_1_x" } },
    { code: "not_found", field: "payload.parent_message_id" },
  ],
  [
    "a run nobody knows",
    { type: "run_cancel", id: "m", payload: { run_id: "r_9_x" } },
    { code: "not_found", field: "payload.run_id" },
  ],
];

describe("bad frames", () => {
  test.each(BAD)("[P1] %s gets a typed error and harms nobody", async (_, frame, expected) => {
    const sub = newUser();
    const [client, other] = await Promise.all([connect(sub), connect(sub)]);
    client.send(frame);
    const error = await client.next("error");
    expect(error.payload).toMatchObject({ ...expected, retryable: false, fatal: false });
    client.say("good", "still here", { respond: false });
    expect((await client.next("message_ack")).payload.seq).toBe(1);
    expect((await other.next("user_message")).payload.content).toBe("still here");
    expect(client.closed).toBeUndefined();
    expect(other.of("error")).toHaveLength(0);
  });

  test("[P2] names the frame in reply_to whenever its id was usable, and only then", async () => {
    const client = await connect(newUser());
    client.send({ type: "user_message", id: "mine", payload: {} });
    expect((await client.next("error")).reply_to).toBe("mine");
    client.send({ type: "nonsense", id: "mine too", payload: {} });
    expect((await client.next("error")).reply_to).toBe("mine too");
    client.send({ type: "user_message", id: "", payload: { content: "x" } });
    expect((await client.next("error")).reply_to).toBeUndefined();
    client.send("{");
    expect((await client.next("error")).reply_to).toBeUndefined();
  });

  test("[P3] never echoes input, type names included", async () => {
    const client = await connect(newUser());
    client.send({ type: "sekret_type", id: "a", payload: {} });
    client.send({ type: "user_message", id: "b", payload: { content: 5, sekret_field: "sekret" } });
    client.send(
      '{"type":"user_message","id":"c","payload":{"content":"x","data":{"sekret":{"__proto__":1}}}}',
    );
    await client.next((frame) => frame.reply_to === "c");
    expect(client.texts.join()).not.toContain("sekret");
  });

  test("[P4] takes frames and content of exactly the limit, nesting of 32, and fields it does not know", async () => {
    const client = await connect(newUser());
    client.send(frameOf(64 * 1024, "hi"));
    expect((await client.next("message_ack")).payload.seq).toBe(1);
    client.say("b", "c".repeat(32 * 1024), { respond: false });
    expect((await client.next("message_ack")).payload.seq).toBe(2);
    client.say("c", "deep", { respond: false, data: { a: nested(29) } });
    expect((await client.next("message_ack")).payload.seq).toBe(3);
    client.say("i".repeat(64), "unknown field", { respond: false, hello: "world" });
    expect((await client.next("message_ack")).payload.seq).toBe(4);
  });

  test("[P5] answers ping in the exact bytes by the platform alone, in any other spelling by the object", async () => {
    const sub = newUser();
    const client = await connect(sub);
    const answeredByPlatform = async () =>
      await runInDurableObject(await stubOf(sub), (_, ctx) =>
        ctx.getWebSockets().some((socket) => ctx.getWebSocketAutoResponseTimestamp(socket) !== null),
      );
    client.send('{ "type": "ping", "payload": {} }');
    await client.next("pong");
    expect(await answeredByPlatform()).toBe(false);
    client.send('{"type":"ping","payload":{}}');
    await client.next("pong");
    expect(await answeredByPlatform()).toBe(true);
    expect(client.texts.at(-1)).toBe('{"type":"pong","payload":{}}');
    client.send({ type: "ping", id: "mine", payload: {} });
    expect((await client.next("pong")).reply_to).toBe("mine");
  });

  test.each([
    [{ ...MESSAGE, payload: { content: 5 } }, "payload.content must be of type string"],
    [{ ...MESSAGE, payload: {} }, "payload.content is required"],
    [{ ...MESSAGE, payload: { content: "" } }, "payload.content must not be empty"],
    [{ ...MESSAGE, payload: { content: "x", data: [1] } }, "payload.data must be of type object"],
    [{ ...MESSAGE, id: "i".repeat(65) }, "id may have 64 characters"],
    [{ ...MESSAGE, id: 5 }, "id must be of type string"],
    [{ type: "ack", payload: { seq: 1.5 } }, "payload.seq must be of type int"],
    [{ type: "ack", payload: { seq: -1 } }, "payload.seq must be at least 0"],
    [{ ...MESSAGE, extra: nested(40) }, "nesting is limited to 32 levels"],
  ])("[P1] says what is wrong in words: %#", async (frame, message) => {
    const client = await connect(newUser());
    client.send(frame);
    expect((await client.next("error")).payload.message).toBe(message);
  });
});
