import { describe, expect, test } from "vitest";
import type { Environment } from "../../src/client/environment.ts";
import type { Client } from "../../src/client/index.ts";
import { completed, delta, greeting, messageAck, snapshot, thought, userMessage } from "./support/frames.ts";
import { HandSocket, opened, reopened, started, World } from "./support/world.ts";

const REPLAYED = { type: "replay_completed", payload: { seq: 0 } };

function textSet(text: string) {
  const { offset: _offset, delta: _delta, ...of } = delta(0, "").payload;
  return { type: "partial_result", payload: { ...of, mode: "set", text } };
}

/** Everything an application can hear of events, in order. */
function overheard(client: Client): string[] {
  const heard: string[] = [];
  client.on("event", ({ seq }) => heard.push(`event ${seq}`));
  client.on("user_message", ({ seq }) => heard.push(`user_message ${seq}`));
  client.on("agent_thinking", ({ seq }) => heard.push(`agent_thinking ${seq}`));
  client.on("agent_completed", ({ seq }) => heard.push(`agent_completed ${seq}`));
  client.on("conversation", ({ last_seq }) => heard.push(`conversation ${last_seq}`));
  return heard;
}

describe("coming back", () => {
  test("[C5] the first live event after a replay is simply the next one, time after time", async () => {
    const made = await opened();
    for (let round = 0; round < 4; round += 1) {
      const from = round * 3 + 1;
      const replay = { from, to: from + 1 };
      const socket = await reopened(made, greeting({ resume: "resumed", head_seq: from + 1, replay }));
      expect(socket.url.searchParams.get("since")).toBe(`${from - 1}`);
      socket.receive(thought(from), thought(from + 1), REPLAYED, thought(from + 2));
      expect(socket.ofType("resync")).toEqual([]);
    }
    expect(made.seqs).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  });

  test("[C5] nothing missed is a success like any other", async () => {
    const made = await opened(7);
    const socket = await reopened(made, greeting({ resume: "resumed", head_seq: 7, replay: null }));
    socket.receive(REPLAYED, thought(8));
    expect([made.seqs, made.client.state.status, socket.ofType("resync")]).toEqual([[8], "open", []]);
  });

  test("[C5] what is replayed is told as what comes live: the application cannot tell which it was", async () => {
    const events = [userMessage(1), thought(2), thought(3), completed(4, "Hello")];
    const live = await opened();
    const heardLive = overheard(live.client);
    live.world.socket.receive(...events);
    expect(heardLive).toEqual(
      events.flatMap(({ type, seq }) => [`event ${seq}`, `${type} ${seq}`, `conversation ${seq}`]),
    );
    const away = await opened();
    const heardLater = overheard(away.client);
    const replay = { from: 1, to: 4 };
    const socket = await reopened(away, greeting({ resume: "resumed", head_seq: 4, replay }));
    socket.receive(...events, REPLAYED);
    expect(heardLater).toEqual(heardLive);
    expect(away.client.conversation).toEqual(live.client.conversation);
  });

  test("[C19] text that was on the screen is set again, not doubled, and goes on from there", async () => {
    const made = await opened();
    made.world.socket.receive(userMessage(1), delta(0, "Hello"));
    const socket = await reopened(made, greeting({ resume: "resumed", head_seq: 1 }));
    const text = () => made.client.conversation.runs[0]?.text;
    expect(text()).toBe("Hello");
    socket.receive(REPLAYED, textSet("Hello, wor"), delta(10, "ld"), delta(10, "ld"));
    expect(text()).toBe("Hello, world");
    socket.receive(completed(2, "Hello, world"), delta(12, "late"));
    expect([text(), made.client.conversation.messages.at(-1)?.content]).toEqual([
      "Hello, world",
      "Hello, world",
    ]);
  });

  test("[C7] a greeting without an epoch is not believed: nothing could be told apart by it", async () => {
    const { world, client } = await started();
    world.socket.receive(greeting({ epoch: "" }), snapshot(3));
    expect(client.state).toMatchObject({ status: "waiting", reason: "bad_greeting" });
    await world.advance(2_000);
    expect(world.socket.url.searchParams.has("since")).toBe(false);
  });

  test("[C7] an invalidated view stays until the new one has come, rather than seem empty", async () => {
    const made = await opened();
    const shown = () => made.client.conversation.messages.map(({ content }) => content);
    made.world.socket.receive(userMessage(1));
    made.world.socket.drop(4300, "state_invalidated");
    await made.world.advance(2_000);
    made.world.socket.receive(greeting({ epoch: "e2" }));
    expect(shown()).toEqual(["message 1"]);
    made.world.socket.receive(snapshot(0));
    expect(shown()).toEqual([]);
  });

  test("[C4] a server that speaks as soon as there is a socket is heard from the first frame on", async () => {
    const world = new World();
    const Hasty: Environment["WebSocket"] = class extends HandSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        world.sockets.push(this);
        queueMicrotask(() => this.receive(greeting(), snapshot(0), userMessage(1)));
      }
    };
    Object.assign(world.environment, { WebSocket: Hasty });
    const { client, seqs } = await started(undefined, world);
    expect([client.state.status, seqs]).toEqual(["open", [1]]);
  });

  test("[C8] what was stored before the connection broke is not sent a third time once it is answered", async () => {
    const made = await opened();
    const sent = made.client.send("a");
    const id = made.world.socket.ofType("user_message")[0]?.id ?? "";
    const second = await reopened(made);
    second.receive(messageAck(id, 1));
    expect((await sent).seq).toBe(1);
    const third = await reopened(made);
    await made.world.advance(15_000);
    expect([second, third].map((socket) => socket.ofType("user_message").length)).toEqual([1, 0]);
  });
});
