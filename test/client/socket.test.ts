import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Environment } from "../../src/client/environment.ts";
import { type Client, type ClientState, connect } from "../../src/client/index.ts";
import { thought } from "./support/frames.ts";
import { ScriptedServer } from "./support/server.ts";

/** Over real sockets and the platform's own WebSocket, fetch and timers. */
describe("over TCP", () => {
  let server: ScriptedServer;
  let client: Client;
  let seqs: number[];

  beforeEach(async () => {
    server = await new ScriptedServer().listen();
    client = connect({
      url: server.url,
      getToken: async () => "e30.e30.c2ln",
      environment: { random: () => 0.05 },
    });
    seqs = [];
    client.on("event", ({ seq }) => seqs.push(seq));
  });

  afterEach(async () => {
    client.close();
    await server.stop();
  });

  test("[C2] the token travels beside the protocol, never in the URL", async () => {
    await status("open");
    expect(server.upgrades[0]?.protocols.replaceAll(" ", "")).toBe("throughline.v1,jwt.e30.e30.c2ln");
    expect(Object.keys(server.upgrades[0]?.query ?? {})).toEqual(["client_id", "n"]);
  });

  test("[C8] a message is sent, acknowledged and seen as an event", async () => {
    const { seq } = await client.send("hello");
    await until(() => seqs.length === 1);
    expect([seq, seqs, client.conversation.messages[0]?.content]).toEqual([1, [1], "message 1"]);
  });

  test("[C8] a message whose acknowledgement was lost is sent again under the same id and stored once", async () => {
    server.replies = () => false;
    await status("open");
    const sent = client.send("hello");
    await until(() => seqs.length === 1);
    server.replies = () => true;
    server.breakAll();
    expect((await sent).seq).toBe(1);
    const ids = server.received.filter(({ type }) => type === "user_message").map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect([server.log.length, seqs]).toEqual([1, [1]]);
  });

  test("[C5] connections broken again and again lose nothing and double nothing", async () => {
    await status("open");
    for (let round = 0; round < 5; round += 1) {
      server.publish(thought(round * 3 + 1), thought(round * 3 + 2));
      server.breakAll();
      server.publish(thought(round * 3 + 3));
      await until(() => seqs.length === (round + 1) * 3);
    }
    expect(seqs).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
    expect(server.upgrades.map(({ query }) => query.n)).toEqual(["1", "2", "3", "4", "5", "6"]);
  });

  test("[C1] a server that was gone for a few attempts is back in use", async () => {
    await status("open");
    await server.stop();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await status("connecting");
      await status("waiting");
    }
    await server.listen();
    await status("open");
    expect(server.upgrades.at(-1)?.query.since).toBe("0");
  });

  test("[C11] superseded by itself, the client does not fight", async () => {
    await status("open");
    server.closeAll(4006, "superseded");
    expect(await status("stopped")).toEqual({ status: "stopped", reason: "superseded", code: 4006 });
    expect(server.upgrades).toHaveLength(1);
  });

  test("[C12] a server that refuses the token twice is left alone", async () => {
    server.instead = (socket) => socket.close(4101, "token_invalid");
    server.breakAll();
    expect(await status("stopped")).toMatchObject({ reason: "token_invalid", code: 4101 });
  });

  test("[C11] an upgrade refused with an HTTP status is tried again", async () => {
    server.refuses = true;
    expect(await status("waiting")).toMatchObject({ reason: "connection_lost", code: 1006 });
    server.refuses = false;
    expect(await status("open")).toMatchObject({ greeting: { resume: "fresh" } });
  });

  test("[C20] a binary frame is reported and mended like any other that cannot be read", async () => {
    const errors: string[] = [];
    client.on("error", ({ code }) => errors.push(code));
    await status("open");
    server.say(Buffer.from("{}"));
    await client.send("hello");
    expect(errors).toEqual(["bad_frame"]);
    expect(server.received.some(({ type }) => type === "resync")).toBe(true);
  });

  test("[C18] closing ends the connection with a proper close frame", async () => {
    await client.send("hello");
    client.close();
    await expect.poll(() => server.closes).toEqual([1000]);
  });

  function status(wanted: ClientState["status"]): Promise<ClientState> {
    if (client.state.status === wanted) return Promise.resolve(client.state);
    return new Promise((resolve) => {
      const off = client.on("state", (state) => {
        if (state.status !== wanted) return;
        off();
        resolve(state);
      });
    });
  }

  /** Looks again after each thing the client reports. */
  function until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => holds() && resolve();
      client.on("conversation", look);
      client.on("state", look);
      look();
    });
  }
});

/** A platform without a WebSocket of its own hands in that of the `ws` package, whose errors end a process that does not listen. */
describe("with the ws package", () => {
  const inNode = { WebSocket: WebSocket as unknown as Environment["WebSocket"], random: () => 0.05 };

  test("[C23] a port nobody listens on costs an attempt, not the process", async () => {
    const server = await new ScriptedServer().listen();
    const states: ClientState[] = [];
    const client = connect({
      url: server.url,
      getToken: () => "e30.e30.c2ln",
      onState: (state) => states.push(state),
      environment: inNode,
    });
    const opened = () => states.filter(({ status }) => status === "open").length;
    await untilSo(() => opened() === 1);
    await server.stop();
    await untilSo(() => states.filter(({ status }) => status === "waiting").length > 2);
    await server.listen();
    await untilSo(() => opened() === 2);
    client.close();
    await server.stop();
  });

  async function untilSo(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
  }
});
