/** Server-sent events, against the real objects. */
import { describe, expect, test } from "vitest";
import { connect, newUser } from "../support/client.ts";
import { HttpUser } from "../support/http.ts";

interface Sent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: any;
}

/** Reads a stream event by event, as an EventSource would. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    if (response.body === null) throw new Error(`status ${response.status} without a body`);
    this.#reader = response.body.getReader();
  }

  /** The next one, or the next that is called `name`. */
  async next(name?: string): Promise<Sent> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) {
        const { done, value } = await this.#reader.read();
        if (done) throw new Error("the stream has ended");
        this.#text += this.#decoder.decode(value, { stream: true });
        continue;
      }
      const sent = parse(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
      if (sent.event !== undefined && (name === undefined || name === sent.event)) return sent;
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

function parse(block: string): Sent {
  const fields = Object.fromEntries(
    block.split("\n").map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const data = fields.data === undefined ? {} : { data: JSON.parse(fields.data) };
  return { ...fields, ...data };
}

async function open(user: HttpUser, path = "/v1/events", headers: Record<string, string> = {}) {
  const response = await user.raw("GET", path, { headers: { Accept: "text/event-stream", ...headers } });
  expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "text/event-stream"]);
  return new Reader(response);
}

describe("events without a socket", () => {
  test("[H4] are the frames a socket is sent: greeting, snapshot, then live", async () => {
    const user = new HttpUser(newUser());
    await user.ask("POST", "/v1/messages", { body: { content: "before", respond: false } });
    const reader = await open(user);
    const greeting = await reader.next();
    expect(greeting).toMatchObject({
      event: "connection_established",
      data: { payload: { resume: "fresh" } },
    });
    const { epoch } = greeting.data.payload;
    expect(await reader.next()).toMatchObject({ event: "state_snapshot", id: `${epoch}:1` });
    expect((await reader.next()).event).toBe("replay_completed");
    await user.ask("POST", "/v1/messages", { body: { content: "now", respond: false } });
    expect(await reader.next()).toMatchObject({
      id: `${epoch}:2`,
      event: "user_message",
      data: { type: "user_message", seq: 2, payload: { content: "now" } },
    });
    await reader.cancel();
  });

  test("[H4] go on from Last-Event-ID, which says what was taken", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    const say = (content: string) => user.ask("POST", "/v1/messages", { body: { content, respond: false } });
    await say("one");
    const first = await open(user);
    const { id } = await first.next("state_snapshot");
    await first.cancel();
    await say("two");
    await say("three");
    const second = await open(user, "/v1/events?since=0", { "Last-Event-ID": id ?? "" });
    expect((await second.next()).data.payload).toMatchObject({
      resume: "resumed",
      replay: { from: 2, to: 3 },
    });
    expect((await second.next()).data.payload.content).toBe("two");
    expect((await second.next()).data.payload.content).toBe("three");
    await second.cancel();
    const tab = await connect(sub);
    expect(tab.frames.find(({ type }) => type === "state_snapshot")?.payload.as_of_seq).toBe(3);
  });

  test("[H4] stream an answer as it is written, and carry more events than are sent unacknowledged", async () => {
    const user = new HttpUser(newUser());
    const reader = await open(user);
    const think = Array.from({ length: 15 }, (_, i) => ({ think: `${i}` }));
    for (let i = 0; i < 20; i += 1) {
      await user.ask("POST", "/v1/messages?wait=true", {
        body: { content: "?", data: { script: [...think, { text: "so" }] } },
      });
    }
    let seq = 0;
    while (seq < 20 * 18) {
      const { event, data } = await reader.next();
      if (data?.seq === undefined) continue;
      seq += 1;
      expect([data.seq, event]).toEqual([seq, data.type]);
    }
    await reader.cancel();
  });

  test("[H4] end with what a socket would be closed with", async () => {
    const user = new HttpUser(newUser());
    const reader = await open(user);
    await reader.next("replay_completed");
    await user.ask("POST", "/v1/auth/sign-out");
    expect((await reader.next("error_frame")).data.payload).toMatchObject({
      code: "signed_out",
      fatal: true,
    });
    expect((await reader.next("closed")).data).toEqual({ code: 4007, reason: "signed_out" });
    await expect(reader.next()).rejects.toThrow("ended");
  });

  test("[H4] leave no connection behind when their reader goes", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    for (let i = 0; i < 12; i += 1) {
      const reader = await open(user);
      await reader.next("replay_completed");
      await reader.cancel();
    }
    expect((await connect(sub)).frames[0]?.type).toBe("connection_established");
  });

  test("[H4] are refused like any request: no token, no place left, no such cursor is a gap", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    const accept = { Accept: "text/event-stream" };
    const bare = await user.raw("GET", "/v1/events", { headers: { ...accept, Authorization: "" } });
    expect(bare.status).toBe(401);
    const long = await user.raw("GET", `/v1/events?client_id=${"x".repeat(257)}`, { headers: accept });
    expect([long.status, await long.json()]).toMatchObject([
      400,
      { error: { field: "client_id", limit: 256 } },
    ]);
    const lost = await open(user, "/v1/events", { "Last-Event-ID": "other:7" });
    expect((await lost.next()).data.payload).toMatchObject({ resume: "gap", gap_reason: "epoch_changed" });
    const readers = await Promise.all(Array.from({ length: 9 }, () => open(user)));
    const full = await user.raw("GET", "/v1/events", { headers: accept });
    expect([full.status, await full.json()]).toMatchObject([429, { error: { code: "connection_limit" } }]);
    for (const reader of [lost, ...readers]) await reader.cancel();
  });
});
