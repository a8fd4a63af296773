import { describe, expect, test, vi } from "vitest";
import { greeting, refusal, snapshot, thought, userMessage } from "./support/frames.ts";
import { listened, opened, reopened, settled, started, World } from "./support/world.ts";

describe("connecting", () => {
  test("[C2] a token is asked for before every attempt and travels as a subprotocol", async () => {
    let issued = 0;
    const made = await opened(0, () => {
      issued += 1;
      return `token-${issued}`;
    });
    await reopened(made);
    expect(made.world.sockets.map(({ protocols }) => protocols)).toEqual([
      ["throughline.v1", "jwt.token-1"],
      ["throughline.v1", "jwt.token-2"],
    ]);
    expect(made.world.socket.url.href).not.toContain("token");
  });

  test("[C2] a token that cannot be had is reported and asked for again", async () => {
    let fails = true;
    const { world, client, errors } = await started(async () => {
      if (fails) throw new Error("identity provider is down");
      return "token";
    });
    expect(errors).toEqual(["token_unavailable"]);
    expect(client.state).toMatchObject({ status: "waiting", reason: "token_unavailable" });
    fails = false;
    await world.advance(1_000);
    expect(world.sockets).toHaveLength(1);
  });

  test("[C2] a token that cannot be a subprotocol counts as refused", async () => {
    const { world, client } = await started(() => "not a token");
    await world.advance(5_000);
    expect(client.state).toEqual({ status: "stopped", reason: "token_malformed", code: 4101 });
  });

  test("[C2] a token that is not given within 10 s is asked for again", async () => {
    const { world, client, errors } = await started(() => new Promise(() => {}));
    await world.advance(10_000);
    expect(client.state).toMatchObject({ status: "waiting", reason: "token_unavailable" });
    expect(errors).toEqual(["token_unavailable"]);
    client.close();
    expect(world.timers).toBe(0);
  });

  test("[C16] back online, a new attempt is made, and the late token of the old one is ignored", async () => {
    const gives: Array<(token: string) => void> = [];
    const { world } = await started(() => new Promise((resolve) => gives.push(resolve)));
    world.signal("online");
    await settled();
    gives[1]?.("new");
    gives[0]?.("old");
    await settled();
    expect(world.sockets.map(({ protocols }) => protocols[1])).toEqual(["jwt.new"]);
  });

  test("[C18] an attempt that fails after closing reports nothing", async () => {
    let fail = (_: Error) => {};
    const { client, errors } = await started(() => new Promise((_, reject) => (fail = reject)));
    client.close();
    fail(new Error("late"));
    await settled();
    expect(errors).toEqual([]);
  });

  test("[C23] a platform without a WebSocket stops the client and says so", async () => {
    const world = new World();
    Object.assign(world.environment, { WebSocket: "none" });
    const { client, errors } = await started(undefined, world);
    expect(client.state).toEqual({ status: "stopped", reason: "websocket_unavailable" });
    expect([errors, world.timers]).toEqual([["websocket_unavailable"], 0]);
  });

  test("[C2] a client closed while its token is awaited opens no socket", async () => {
    let give = (_: string) => {};
    const { world, client } = await started(() => new Promise((resolve) => (give = resolve)));
    client.close();
    give("token");
    await settled();
    expect(world.sockets).toEqual([]);
  });

  test("[C3] the first attempt has no cursor; later ones say epoch, since, and how many they are", async () => {
    const made = await opened(41);
    made.world.socket.receive(thought(42));
    await reopened(made);
    await reopened(made);
    const said = made.world.sockets.map(({ url }) => Object.fromEntries(url.searchParams));
    const { client_id } = made.client;
    expect(said).toEqual([
      { client_id, n: "1" },
      { client_id, n: "2", epoch: "e1", since: "42" },
      { client_id, n: "3", epoch: "e1", since: "42" },
    ]);
  });

  test("[C3] a cursor before the first event is a cursor too", async () => {
    const made = await opened(0);
    await reopened(made);
    expect(made.world.socket.url.searchParams.get("since")).toBe("0");
  });

  test("[C3] two clients have two ids", async () => {
    const world = new World();
    const [a, b] = [await started(undefined, world), await started(undefined, world)];
    expect(a.client.client_id).not.toBe(b.client.client_id);
  });

  test("[C4] the states of a connection can be observed", async () => {
    const { world, client } = await started();
    const states = listened(client, "state");
    world.socket.receive(greeting(), snapshot(0));
    expect(client.state).toEqual({ status: "open", greeting: greeting().payload });
    world.socket.drop(1012, "");
    await world.advance(1_000);
    client.close();
    expect(states.map(({ status }) => status)).toEqual(["open", "waiting", "connecting", "stopped"]);
  });

  test("[C4] a connection without a greeting for 10 s is given up", async () => {
    const { world, client } = await started();
    await world.advance(9_999);
    expect(client.state.status).toBe("connecting");
    await world.advance(1);
    expect(client.state).toMatchObject({ status: "waiting", reason: "no_greeting" });
  });

  test("[C4] anything before the greeting ends the attempt", async () => {
    const { world, client, seqs } = await started();
    world.socket.receive(userMessage(1));
    expect(client.state).toMatchObject({ status: "waiting", reason: "bad_greeting" });
    expect(seqs).toEqual([]);
  });

  test.each([
    [
      "a protocol version it does not speak",
      { ...greeting(), payload: { ...greeting().payload, protocol: 2 } },
      "throughline.v1",
    ],
    ["a subprotocol it did not ask for", greeting(), ""],
  ])("[C4] %s stops the client", async (_, hello, protocol) => {
    const { world, client } = await started();
    world.socket.protocol = protocol;
    world.socket.receive(hello);
    expect(client.state).toEqual({ status: "stopped", reason: "unsupported_version", code: 4001 });
  });

  test("[C4] why an upgrade was refused comes to the error channel before the close", async () => {
    const { world, client, errors } = await started();
    world.socket.receive(refusal("origin_forbidden", { fatal: true }));
    world.socket.drop(4003, "forbidden");
    expect(errors).toEqual(["origin_forbidden"]);
    expect(client.state).toEqual({ status: "stopped", reason: "forbidden", code: 4003 });
  });
});

describe("close codes", () => {
  test.each([4000, 4001, 4003, 4004, 4005, 4006, 4007, 4099])("[C11] %i stops", async (code) => {
    const { world, client } = await opened();
    world.socket.drop(code, "why");
    await world.advance(120_000);
    expect(client.state).toEqual({ status: "stopped", reason: "why", code });
    expect(world.sockets).toHaveLength(1);
    expect([world.timers, world.listeners]).toEqual([0, 0]);
  });

  test.each([1000, 1001, 1006, 1012, 4100, 4150, 4200, 4201, 4202, 4203, 4204, 4205, 4299, 4999])(
    "[C11] %i reconnects from the cursor, with what is in the outbox",
    async (code) => {
      const made = await opened(7);
      void made.client.send("a");
      made.world.socket.drop(code, "");
      await made.world.advance(2_000);
      made.world.socket.receive(greeting({ resume: "resumed" }));
      expect(made.world.socket.url.searchParams.get("since")).toBe("7");
      expect(made.world.socket.ofType("user_message")).toHaveLength(1);
    },
  );

  test("[C27] a last word is enough: the close it names need not come", async () => {
    const { world, client } = await opened(7);
    world.socket.receive(refusal("heartbeat_timeout", { fatal: true }));
    await world.advance(999);
    expect(client.state.status).toBe("open");
    await world.advance(1);
    expect(client.state).toMatchObject({ status: "waiting", reason: "heartbeat_timeout", code: 4201 });
    await world.advance(2_000);
    expect(world.socket.url.searchParams.get("since")).toBe("7");
  });

  test("[C27] a close that does come is believed, and counted once", async () => {
    const { world, client } = await opened();
    world.socket.receive(refusal("token_expired", { fatal: true }));
    world.socket.drop(4007, "signed_out");
    await world.advance(10_000);
    expect(client.state).toEqual({ status: "stopped", reason: "signed_out", code: 4007 });
    expect([world.sockets.length, world.timers]).toEqual([1, 0]);
  });

  test("[C27] a last word in place of a greeting is enough too", async () => {
    const { world, client } = await started();
    world.socket.receive(refusal("connection_limit", { fatal: true }));
    await world.advance(1_000);
    expect(client.state).toEqual({ status: "stopped", reason: "connection_limit", code: 4005 });
  });

  test("[C27] a page that becomes visible meanwhile does not put the end off", async () => {
    const { world, client } = await opened();
    world.socket.receive(refusal("signed_out", { fatal: true }));
    world.signal("visible");
    await world.advance(1_000);
    expect(client.state).toEqual({ status: "stopped", reason: "signed_out", code: 4007 });
  });

  test("[C27] an error that names no close, or is not fatal, ends nothing", async () => {
    const { world, client } = await opened();
    world.socket.receive(refusal("bad_json", { fatal: true }), refusal("rate_limited"), refusal("toString"));
    await world.advance(5_000);
    expect(client.state.status).toBe("open");
  });

  test("[C12] a token refused twice in a row stops the client", async () => {
    const { world, client } = await started();
    world.socket.drop(4101, "token_invalid");
    expect(client.state.status).toBe("waiting");
    await world.advance(2_000);
    world.socket.drop(4101, "token_invalid");
    expect(client.state).toEqual({ status: "stopped", reason: "token_invalid", code: 4101 });
  });

  test("[C12] a greeting in between starts the count anew", async () => {
    const made = await started();
    for (let round = 0; round < 3; round += 1) {
      made.world.socket.drop(4101, "token_invalid");
      await made.world.advance(2_000);
      made.world.socket.receive(greeting(), snapshot(0));
      made.world.socket.drop();
      await made.world.advance(2_000);
    }
    expect(made.client.state.status).toBe("connecting");
  });

  test("[C12] an expired token is not a refused one: it is renewed as often as it takes", async () => {
    const { world, client } = await started();
    for (let round = 0; round < 4; round += 1) {
      world.socket.drop(4100, "token_expired");
      await world.advance(2_000);
    }
    expect(client.state.status).toBe("connecting");
    expect(world.sockets).toHaveLength(5);
  });

  test.each([4300, 4350])("[C13] %i drops the cursor and the outbox, and reconnects", async (code) => {
    const { world, client } = await opened(9);
    const failure = vi.fn();
    client.send("a").catch(failure);
    world.socket.drop(code, "state_invalidated");
    await world.advance(2_000);
    expect(failure).toHaveBeenCalledWith(
      expect.objectContaining({ code: "state_invalidated", maybe_sent: true }),
    );
    expect(world.socket.url.searchParams.has("since")).toBe(false);
    expect(world.socket.url.searchParams.has("epoch")).toBe(false);
    world.socket.receive(greeting({ epoch: "e2" }), snapshot(0));
    expect(world.socket.ofType("user_message")).toEqual([]);
    expect(client.conversation.last_seq).toBe(0);
  });

  test("[C13] what was about to be acknowledged, or mended, is dropped with them", async () => {
    const { world } = await opened(4);
    world.socket.receive(thought(5), thought(7));
    world.socket.drop(4300, "state_invalidated");
    await world.advance(2_000);
    world.socket.receive(greeting({ epoch: "e2" }), snapshot(0));
    await world.advance(9_000);
    expect(world.sockets).toHaveLength(2);
    expect(world.socket.sent.map(({ type, payload }) => [type, payload])).toEqual([["ack", { seq: 0 }]]);
  });

  test.each([4200, 4201, 4202, 4203, 4204])(
    "[C11] %i backs off and comes back with its cursor",
    async (code) => {
      const { world, client } = await opened(9);
      world.socket.receive(refusal("slow_consumer", { fatal: true, retry_after_ms: 1_000 }));
      world.socket.drop(code, "whatever");
      await world.advance(999);
      expect(client.state.status).toBe("waiting");
      await world.advance(2_000);
      expect(world.socket.url.searchParams.get("since")).toBe("9");
    },
  );

  test("[C13] a client that was away learns the same from the greeting", async () => {
    const made = await opened(9);
    const failure = vi.fn();
    made.client.send("a").catch(failure);
    const socket = await reopened(
      made,
      greeting({ epoch: "e2", resume: "gap", gap_reason: "epoch_changed" }),
    );
    await settled();
    expect(failure).toHaveBeenCalledOnce();
    socket.receive(snapshot(0));
    expect(socket.ofType("user_message")).toEqual([]);
  });

  test("[C13] a greeting that was not believed does not make the epoch forgotten", async () => {
    const made = await opened(9);
    const failure = vi.fn();
    made.client.send("a").catch(failure);
    await reopened(made, greeting({ epoch: "e2", resume: "resumed" }));
    await made.world.advance(2_000);
    made.world.socket.receive(greeting({ epoch: "e2" }), snapshot(0));
    await settled();
    expect(failure).toHaveBeenCalledOnce();
    expect(made.world.socket.ofType("user_message")).toEqual([]);
  });

  test("[C13] what is sent after the drop goes out on the new log", async () => {
    const { world, client } = await opened(9);
    world.socket.drop(4300, "state_invalidated");
    void client.send("b");
    await world.advance(2_000);
    world.socket.receive(greeting({ epoch: "e2" }), snapshot(0));
    expect(world.socket.ofType("user_message")).toHaveLength(1);
  });

  test("[C11] the close of a socket that was given up changes nothing any more", async () => {
    const made = await opened();
    const [old] = made.world.sockets;
    void made.client.send("a");
    await made.world.advance(21_000);
    made.world.socket.receive(greeting({ resume: "resumed" }));
    old?.drop(4006, "superseded");
    old?.receive(userMessage(1));
    expect(made.client.state.status).toBe("open");
    expect(made.seqs).toEqual([]);
  });

  test("[C18] closing flushes the acknowledgement and leaves no timer, listener or socket", async () => {
    const { world, client } = await opened();
    world.socket.receive(userMessage(1));
    client.close();
    client.close();
    expect(world.socket.ofType("ack").at(-1)?.payload).toEqual({ seq: 1 });
    expect(world.socket.closed).toBe(true);
    expect([world.timers, world.listeners]).toEqual([0, 0]);
    expect(client.state).toEqual({ status: "stopped", reason: "closed" });
  });

  test.each(["state", "frame", "event", "conversation"] as const)(
    "[C18] a client closed by a listener of %s leaves nothing behind",
    async (channel) => {
      const made = await started();
      made.client.on(channel, () => made.client.close());
      made.world.socket.receive(greeting(), snapshot(0), userMessage(1), thought(3));
      expect(made.client.state).toEqual({ status: "stopped", reason: "closed" });
      expect([made.world.timers, made.world.listeners]).toEqual([0, 0]);
    },
  );

  test("[C21] a listener that throws harms neither the others nor the connection", async () => {
    const thrown: unknown[] = [];
    const caught = (error: unknown) => thrown.push(error);
    process.once("uncaughtException", caught);
    const { world, client, seqs } = await opened();
    client.on("event", () => {
      throw new Error("of the application");
    });
    const after = listened(client, "user_message");
    world.socket.receive(userMessage(1));
    await settled();
    process.removeListener("uncaughtException", caught);
    expect([seqs, after.length, client.state.status]).toEqual([[1], 1, "open"]);
    expect(thrown).toHaveLength(1);
  });

  test("[C21] a listener added while a value is handed over waits for the next", async () => {
    const { world, client } = await opened();
    const late = vi.fn();
    client.on("event", () => client.on("event", late));
    world.socket.receive(userMessage(1));
    expect(late).not.toHaveBeenCalled();
  });

  test("[C21] a listener taken off while a value is handed over hears no more of it", async () => {
    const { world, client } = await opened();
    const heard = vi.fn();
    const off: (() => void)[] = [];
    client.on("event", () => off[0]?.());
    off.push(client.on("event", heard));
    world.socket.receive(userMessage(1), thought(2));
    expect(heard).not.toHaveBeenCalled();
  });

  test("[C21] a listener that was taken off hears nothing", async () => {
    const { world, client } = await opened();
    const heard = vi.fn();
    client.on("event", heard)();
    world.socket.receive(userMessage(1));
    expect(heard).not.toHaveBeenCalled();
  });
});
