import { describe, expect, test } from "vitest";
import { ClientError } from "../../src/client/index.ts";
import { commandAck, greeting, messageAck, refusal, snapshot } from "./support/frames.ts";
import { opened, reopened, settled, started } from "./support/world.ts";

function idsOf(frames: ReadonlyArray<{ readonly id?: string }>): Array<string | undefined> {
  return frames.map(({ id }) => id);
}

/** The error a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<ClientError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ClientError) return error;
  throw new Error("the promise was not rejected with a ClientError");
}

function frameOf(content: string, id: string): number {
  return JSON.stringify({ type: "user_message", payload: { content }, id }).length;
}

describe("sending commands", () => {
  test("[C8] a message resolves with the payload of its acknowledgement", async () => {
    const { world, client } = await opened();
    const sent = client.send("hello", {
      thread_id: "t1",
      respond: false,
      policy: "reject",
      metadata: { a: 1 },
    });
    const [frame] = world.socket.ofType("user_message");
    expect(frame?.payload).toEqual({
      content: "hello",
      thread_id: "t1",
      respond: false,
      policy: "reject",
      metadata: { a: 1 },
    });
    world.socket.receive(messageAck(frame?.id ?? "", 1));
    expect(await sent).toEqual({ seq: 1, message_id: "m1", thread_id: "main", duplicate: false });
  });

  test("[C8] cancelling a run and asking for a snapshot resolve with their acknowledgements", async () => {
    const { world, client } = await opened();
    const answers = Promise.all([client.cancel("r1"), client.resync()]);
    const [cancel, resync] = world.socket.sent;
    expect([cancel?.type, cancel?.payload, resync?.type]).toEqual(["run_cancel", { run_id: "r1" }, "resync"]);
    world.socket.receive(commandAck(cancel?.id ?? ""), commandAck(resync?.id ?? ""));
    expect(await answers).toEqual([{ duplicate: false }, { duplicate: false }]);
  });

  test("[C8] commands given before the greeting go out after it, in order", async () => {
    const { world, client } = await started();
    void client.send("first");
    void client.cancel("r1");
    expect(world.socket.sent).toEqual([]);
    world.socket.receive(greeting(), snapshot(0));
    expect(world.socket.sent.map(({ type }) => type)).toEqual(["user_message", "run_cancel"]);
  });

  test("[C8] what has no reply is sent again after every greeting, in order and with the same ids", async () => {
    const made = await opened();
    for (const content of ["a", "b", "c"]) void made.client.send(content);
    const first = made.world.socket.ofType("user_message");
    made.world.socket.receive(messageAck(first[1]?.id ?? "", 1));
    const second = await reopened(made);
    const third = await reopened(made);
    const unanswered = [first[0]?.id, first[2]?.id];
    expect(idsOf(second.ofType("user_message"))).toEqual(unanswered);
    expect(idsOf(third.ofType("user_message"))).toEqual(unanswered);
  });

  test("[C8] nothing is sent again before the next greeting", async () => {
    const { world, client } = await opened();
    void client.send("a");
    world.socket.drop();
    await world.advance(2_000);
    expect(world.sockets).toHaveLength(2);
    expect(world.socket.sent).toEqual([]);
  });

  test("[C8] a reply to an unknown id is ignored", async () => {
    const { world, client } = await opened();
    const sent = client.send("a");
    world.socket.receive(messageAck("another", 1), commandAck("one more"));
    const [frame] = world.socket.ofType("user_message");
    world.socket.receive(messageAck(frame?.id ?? "", 2));
    expect((await sent).seq).toBe(2);
  });

  test("[C9] without a reply for 10 s a command is sent again with the same id", async () => {
    const { world, client } = await opened();
    void client.send("a");
    await world.advance(9_999);
    expect(world.socket.ofType("user_message")).toHaveLength(1);
    await world.advance(1);
    const frames = world.socket.ofType("user_message");
    expect(frames).toHaveLength(2);
    expect(frames[1]).toEqual(frames[0]);
  });

  test("[C9] after the second 10 s without a reply the connection is given up", async () => {
    const { world, client } = await opened();
    void client.send("a");
    await world.advance(19_999);
    expect(client.state.status).toBe("open");
    await world.advance(1);
    expect(client.state).toMatchObject({ status: "waiting", reason: "no_reply" });
    expect(world.sockets[0]?.closed).toBe(true);
  });

  test("[C9] the wait begins anew for the next command once the oldest has its reply", async () => {
    const { world, client } = await opened();
    void client.send("a");
    await world.advance(6_000);
    void client.send("b");
    const [a] = world.socket.ofType("user_message");
    world.socket.receive(messageAck(a?.id ?? "", 1));
    await world.advance(9_999);
    expect(world.socket.ofType("user_message")).toHaveLength(2);
    await world.advance(1);
    expect(world.socket.ofType("user_message")).toHaveLength(3);
  });

  test("[C9] a connection that is answered is left alone", async () => {
    const { world, client } = await opened();
    void client.send("a");
    const [frame] = world.socket.ofType("user_message");
    world.socket.receive(messageAck(frame?.id ?? "", 1));
    await world.advance(24_000);
    expect(world.socket.ofType("user_message")).toHaveLength(1);
    expect(client.state.status).toBe("open");
  });

  test("[C10] a refusal rejects with its code, field, limit and whether to try again", async () => {
    const { world, client, errors } = await opened();
    const sent = rejection(client.send("x"));
    const about = { field: "payload.content", limit: 32_768, retryable: true, retry_after_ms: 500 };
    world.socket.receive(refusal("too_large", about, world.socket.sent[0]?.id));
    expect(await sent).toMatchObject({ code: "too_large", ...about });
    expect(errors).toEqual([]);
  });

  test.each([
    ["under", 65_535],
    ["at", 65_536],
  ])("[C22] a frame %s the limit is sent", async (_, bytes) => {
    const { world, client } = await opened();
    void client.send("x".repeat(bytes - frameOf("", "id-2")));
    expect(world.socket.ofType("user_message")).toHaveLength(1);
  });

  test("[C22] a frame over the limit, counted in UTF-8, is refused here and never sent", async () => {
    const { world, client } = await opened();
    const refused = rejection(client.send("é".repeat(33_000)));
    expect(await refused).toMatchObject({
      code: "too_large",
      field: "frame",
      limit: 65_536,
      maybe_sent: false,
    });
    expect(world.socket.ofType("user_message")).toEqual([]);
    expect(client.state.status).toBe("open");
  });

  test("[C22] the greeting's limit holds for what was waiting for it, and the rest goes out", async () => {
    const { world, client } = await started();
    const refused = rejection(client.send("x".repeat(2_000)));
    void client.send("short");
    world.socket.receive(greeting({ limits: { frame_bytes: 1_000 } }), snapshot(0));
    expect(await refused).toMatchObject({ code: "too_large", limit: 1_000 });
    expect(world.socket.ofType("user_message")).toHaveLength(1);
  });

  test("[C10] a refusal that names no command comes to the error channel", async () => {
    const { world, errors } = await opened();
    world.socket.receive(refusal("ack_ahead"));
    expect(errors).toEqual(["ack_ahead"]);
  });

  test("[C10] a message answered with the wrong kind of reply rejects", async () => {
    const { world, client } = await opened();
    const sent = rejection(client.send("x"));
    world.socket.receive(commandAck(world.socket.sent[0]?.id ?? ""));
    expect((await sent).code).toBe("bad_frame");
  });

  test("[C18] closing rejects what has no reply, and says whether it may have arrived", async () => {
    const { world, client } = await opened();
    const arrived = rejection(client.send("a"));
    world.socket.drop();
    const queued = rejection(client.send("b"));
    client.close();
    expect(await arrived).toMatchObject({ code: "closed", maybe_sent: true });
    expect(await queued).toMatchObject({ code: "closed", maybe_sent: false });
  });

  test("[C18] a stopped client refuses at once", async () => {
    const { world, client } = await opened();
    world.socket.drop(4007, "signed_out");
    await settled();
    expect(await rejection(client.send("a"))).toMatchObject({ code: "stopped" });
    expect(await rejection(client.cancel("r1"))).toMatchObject({ code: "stopped" });
    expect(await rejection(client.resync())).toMatchObject({ code: "stopped" });
  });
});

describe("a server that names its rate", () => {
  const limits = { frame_bytes: 65_536, commands_per_s: 30, commands_burst: 60 };

  async function openedWithRate() {
    const made = await started();
    made.world.socket.receive(greeting({ limits }), snapshot(0));
    return made;
  }

  /** Counts as the server does: a bucket of 60, 30 a second, a tenth for an acknowledgement. */
  function refusedBy(
    socket: { readonly sent: ReadonlyArray<{ readonly type: string }> },
    times: number[],
  ): number {
    let tokens = 60;
    let at = 0;
    let refused = 0;
    for (const [i, { type }] of socket.sent.entries()) {
      const now = times[i] ?? at;
      tokens = Math.min(60, tokens + ((now - at) / 1_000) * 30);
      at = now;
      const cost = type === "ack" ? 0.1 : 1;
      if (tokens < cost) refused += 1;
      else tokens -= cost;
    }
    return refused;
  }

  test("[C24] gets 300 messages written offline in order and never too fast", async () => {
    const { world, client } = await started();
    const sending = Array.from({ length: 300 }, (_, i) => client.send(`m${i}`));
    world.socket.receive(greeting({ limits }), snapshot(0));
    const times = world.socket.sent.map(() => world.now);
    expect(times).toHaveLength(48);
    for (let ms = 0; ms < 12_000; ms += 10) {
      const answered = times.length;
      await world.advance(10);
      while (times.length < world.socket.sent.length) times.push(world.now);
      for (const frame of world.socket.sent.slice(answered - 48, times.length - 48)) {
        world.socket.receive(messageAck(frame.id ?? "", 1));
      }
    }
    expect(world.socket.ofType("user_message").map(({ payload }) => payload.content)).toEqual(
      sending.map((_, i) => `m${i}`),
    );
    expect(refusedBy(world.socket, times)).toBe(0);
  });

  test("[C24] a single message goes out at once, also long after a burst", async () => {
    const { world, client } = await openedWithRate();
    for (let i = 0; i < 60; i += 1) void client.send(`m${i}`).catch(() => {});
    await world.advance(1_000);
    expect(world.socket.ofType("user_message")).toHaveLength(60);
    await world.advance(3_000);
    void client.send("late");
    expect(world.socket.ofType("user_message")).toHaveLength(61);
  });

  test("[C24] a burst of one is one at a time, not none", async () => {
    const { world, client } = await started();
    world.socket.receive(greeting({ limits: { commands_per_s: 1, commands_burst: 1 } }), snapshot(0));
    for (const content of ["a", "b"]) void client.send(content);
    expect(world.socket.ofType("user_message")).toHaveLength(1);
    // 1,250 ms for the command at 80 % of one a second, 125 for the acknowledgement of the snapshot.
    await world.advance(1_374);
    expect(world.socket.ofType("user_message")).toHaveLength(1);
    await world.advance(1);
    expect(world.socket.ofType("user_message")).toHaveLength(2);
  });

  test("[C24] rate_limited is not the application's problem: the command waits and goes out again in its place", async () => {
    const { world, client, errors } = await opened();
    const sending = ["a", "b", "c"].map((content) => client.send(content));
    const [a, b, c] = world.socket.ofType("user_message");
    world.socket.receive(messageAck(a?.id ?? "", 1));
    for (const id of [b?.id, c?.id]) {
      world.socket.receive(refusal("rate_limited", { retry_after_ms: 500 }, id ?? ""));
    }
    void client.send("d");
    await world.advance(499);
    expect(world.socket.ofType("user_message")).toHaveLength(3);
    await world.advance(1);
    const again = world.socket.ofType("user_message").slice(3);
    expect(again.map(({ payload }) => payload.content)).toEqual(["b", "c", "d"]);
    expect(idsOf(again).slice(0, 2)).toEqual(idsOf([b, c].filter((frame) => frame !== undefined)));
    for (const [i, frame] of again.entries()) world.socket.receive(messageAck(frame.id ?? "", i + 2));
    expect((await Promise.all(sending)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(errors).toEqual([]);
  });

  test("[C24] a pause ends with its connection, and leaves no timer when the client closes", async () => {
    const made = await opened();
    const lost = made.client.send("a");
    const [a] = made.world.socket.ofType("user_message");
    made.world.socket.receive(refusal("rate_limited", { retry_after_ms: 60_000 }, a?.id ?? ""));
    const socket = await reopened(made);
    expect(idsOf(socket.ofType("user_message"))).toEqual([a?.id]);
    socket.receive(refusal("rate_limited", { retry_after_ms: 60_000 }, a?.id ?? ""));
    made.client.close();
    expect((await rejection(lost)).code).toBe("closed");
    expect(made.world.timers).toBe(0);
  });
});
