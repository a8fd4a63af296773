import { describe, expect, test } from "vitest";
import { completed, delta, greeting, refusal, snapshot, thought, userMessage } from "./support/frames.ts";
import { listened, opened, reopened, started } from "./support/world.ts";

describe("order", () => {
  test("[C5] events in order are handed over once each, with the view already changed", async () => {
    const { world, client, seqs } = await opened();
    const seen: number[] = [];
    client.on("agent_thinking", () => seen.push(client.conversation.runs[0]?.steps.length ?? 0));
    world.socket.receive(userMessage(1), thought(2), thought(3));
    expect(seqs).toEqual([1, 2, 3]);
    expect(seen).toEqual([1, 2]);
    expect(client.conversation.last_seq).toBe(3);
  });

  test("[C5] an event that comes twice reaches the application once", async () => {
    const { world, seqs, client } = await opened();
    world.socket.receive(userMessage(1), userMessage(1), thought(2), userMessage(1));
    expect(seqs).toEqual([1, 2]);
    expect(client.conversation.messages).toHaveLength(1);
  });

  test("[C5] events covered by the snapshot are not handed over", async () => {
    const { world, seqs } = await opened(5);
    world.socket.receive(thought(4), thought(5), thought(6));
    expect(seqs).toEqual([6]);
  });

  test("[C5] skipped events move the cursor without a gap", async () => {
    const { world, seqs } = await opened();
    world.socket.receive(userMessage(1), {
      type: "events_skipped",
      payload: { from: 2, to: 40, reason: "expired" },
    });
    world.socket.receive(thought(41));
    expect(seqs).toEqual([1, 41]);
    expect(world.socket.ofType("resync")).toEqual([]);
  });

  test("[C5] an event of a later version counts, and leaves the view whole", async () => {
    const { world, client, seqs } = await opened();
    world.socket.receive(userMessage(1), { type: "hologram", seq: 2, payload: {} }, thought(3));
    expect(seqs).toEqual([1, 3]);
    expect(client.conversation.messages).toHaveLength(1);
  });

  test("[C5] a frame of a later version is passed over", async () => {
    const { world, client, errors } = await opened();
    world.socket.receive({ type: "weather", payload: { sun: true } }, userMessage(1));
    expect(errors).toEqual([]);
    expect(client.conversation.last_seq).toBe(1);
  });

  test("[C6] a hole asks for a snapshot, and nothing is handed over until it has come", async () => {
    const { world, seqs, client } = await opened();
    world.socket.receive(userMessage(1), thought(3), thought(4));
    expect(seqs).toEqual([1]);
    expect(world.socket.ofType("resync")).toHaveLength(1);
    world.socket.receive(snapshot(4), thought(5));
    expect(seqs).toEqual([1, 5]);
    expect(client.state.status).toBe("open");
  });

  test("[C6] skipped events that leave a hole before them ask for a snapshot too", async () => {
    const { world } = await opened();
    world.socket.receive({ type: "events_skipped", payload: { from: 3, to: 9, reason: "trimmed" } });
    expect(world.socket.ofType("resync")).toHaveLength(1);
  });

  test("[C6] after three tries in a row without an event in between the client stops and says so", async () => {
    const { world, client, errors } = await opened();
    for (const seq of [10, 20, 30]) world.socket.receive(thought(seq), snapshot(seq));
    expect(client.state.status).toBe("open");
    world.socket.receive(thought(40));
    expect(world.socket.ofType("resync")).toHaveLength(3);
    expect(errors).toEqual(["resync_failed"]);
    expect(client.state).toEqual({ status: "stopped", reason: "resync_failed" });
  });

  test("[C6] an event in order makes the three tries whole again", async () => {
    const { world, client } = await opened();
    for (const seq of [10, 20, 30, 40, 50])
      world.socket.receive(thought(seq), snapshot(seq), thought(seq + 1));
    expect(client.state.status).toBe("open");
    expect(world.socket.ofType("resync")).toHaveLength(5);
  });

  test("[C26] a request for a snapshot that came too fast goes out again when the server says", async () => {
    const { world, client, seqs } = await opened();
    world.socket.receive(userMessage(1), thought(3));
    const [asked] = world.socket.ofType("resync");
    const payload = { code: "rate_limited", message: "", retryable: true, retry_after_ms: 700, fatal: false };
    world.socket.receive({ type: "error", reply_to: "another", payload });
    await world.advance(700);
    expect(world.socket.ofType("resync")).toHaveLength(1);
    world.socket.receive({ type: "error", reply_to: asked?.id, payload });
    await world.advance(699);
    expect(world.socket.ofType("resync")).toHaveLength(1);
    await world.advance(1);
    expect(world.socket.ofType("resync")).toHaveLength(2);
    world.socket.receive(snapshot(3), thought(4));
    expect(seqs).toEqual([1, 4]);
    expect(client.state.status).toBe("open");
  });

  test("[C6] a snapshot that does not come within 10 s ends the connection, not the client", async () => {
    const made = await opened();
    made.world.socket.receive(userMessage(1), thought(3));
    await made.world.advance(10_000);
    expect(made.client.state).toMatchObject({ status: "waiting", reason: "no_snapshot" });
    const socket = await reopened(made);
    socket.receive(thought(2), thought(3));
    expect(made.seqs).toEqual([1, 2, 3]);
  });

  test("[C6] a server that never sends the snapshot of its greeting is tried again, with growing waits", async () => {
    const { world, client, errors } = await started();
    for (let attempt = 0; attempt < 6; attempt += 1) {
      world.socket.receive(greeting());
      await world.advance(10_000);
      expect(client.state).toMatchObject({
        reason: "no_snapshot",
        retry_in_ms: Math.min(1_000, 125 * 2 ** attempt),
      });
      await world.advance(1_000);
    }
    expect(errors).toEqual([]);
  });

  test("[C6] a snapshot and 5 s of calm make the three tries whole again", async () => {
    const { world, client } = await opened();
    for (const seq of [10, 20, 30, 40, 50]) {
      world.socket.receive(thought(seq), snapshot(seq));
      await world.advance(5_000);
    }
    expect(client.state.status).toBe("open");
  });

  test("[C20] a frame that cannot be read is reported and mended with a snapshot", async () => {
    const { world, client, errors } = await opened();
    world.socket.receive("{oops", snapshot(0), userMessage(1));
    expect(errors).toEqual(["bad_frame"]);
    expect(world.socket.ofType("resync")).toHaveLength(1);
    expect(client.conversation.last_seq).toBe(1);
  });

  test.each([
    ["without its fields", { type: "user_message", seq: 1, payload: {} }],
    ["without a seq", { ...userMessage(1), seq: undefined }],
    ["with a seq that is no number", { ...userMessage(1), seq: "1" }],
    ["without a payload", { type: "message_ack", reply_to: "x" }],
    ["that is a list", []],
    ["of a later version with a bad seq", { type: "hologram", seq: -1, payload: {} }],
    ["without a type", { payload: {} }],
  ])("[C20] a frame %s is reported, and the connection lives on", async (_, frame) => {
    const { world, client, errors, seqs } = await opened();
    world.socket.receive(frame);
    expect(errors).toEqual(["bad_frame"]);
    expect(seqs).toEqual([]);
    expect(client.state.status).toBe("open");
  });

  test("[C20] a frame that breaks the view is mended like a hole", async () => {
    const { world, client, errors, seqs } = await opened();
    world.socket.receive(
      { ...snapshot(0), payload: { ...snapshot(0).payload, threads: [null] } },
      userMessage(1),
    );
    expect(errors).toEqual(["bad_frame"]);
    expect(seqs).toEqual([]);
    world.socket.receive(snapshot(1), thought(2));
    expect(seqs).toEqual([2]);
    expect(client.state.status).toBe("open");
  });

  test("[C7] a snapshot replaces the view and sets the cursor", async () => {
    const made = await opened();
    made.world.socket.receive(userMessage(1), thought(2), snapshot(7));
    expect(made.client.conversation).toMatchObject({ last_seq: 7, messages: [], runs: [] });
    const socket = await reopened(made);
    expect(socket.url.searchParams.get("since")).toBe("7");
  });

  test("[C7] after a gap the old view stays until the snapshot lands", async () => {
    const made = await opened();
    made.world.socket.receive(userMessage(1));
    const socket = await reopened(made, greeting({ resume: "gap", gap_reason: "trimmed", head_seq: 900 }));
    socket.receive(thought(2), delta(0, "late"));
    expect(made.seqs).toEqual([1]);
    expect(made.client.conversation.messages).toHaveLength(1);
    socket.receive(snapshot(900), thought(901));
    expect(made.client.conversation.messages).toHaveLength(0);
    expect(made.seqs).toEqual([1, 901]);
  });

  test("[C7] epoch and seq change together: a snapshot that never came leaves the old pair", async () => {
    const made = await opened(3);
    await reopened(made, greeting({ epoch: "e2", resume: "gap", gap_reason: "epoch_changed" }));
    const next = await reopened(made, greeting({ epoch: "e2", resume: "gap", gap_reason: "epoch_changed" }));
    expect(next.url.searchParams.get("epoch")).toBe("e1");
    next.receive(snapshot(1));
    const last = await reopened(made, greeting({ epoch: "e2", resume: "resumed" }));
    expect([last.url.searchParams.get("epoch"), last.url.searchParams.get("since")]).toEqual(["e2", "1"]);
  });

  test("[C7] a greeting that resumes another log is not believed", async () => {
    const made = await opened(3);
    const socket = await reopened(made, greeting({ epoch: "e2", resume: "resumed" }));
    expect(made.client.state).toMatchObject({ status: "waiting", reason: "bad_greeting" });
    expect(socket.closed).toBe(true);
    await made.world.advance(2_000);
    expect(made.world.socket.url.searchParams.has("since")).toBe(false);
  });

  test("[C19] stream frames change the view only", async () => {
    const { world, client, seqs } = await opened();
    const views = listened(client, "conversation");
    world.socket.receive(userMessage(1), delta(0, "Hel"), delta(3, "lo"), delta(3, "lo"));
    expect(client.conversation.runs[0]?.text).toBe("Hello");
    expect(seqs).toEqual([1]);
    expect(views.length).toBeGreaterThanOrEqual(3);
    world.socket.receive(completed(2, "Hello!"));
    expect(client.conversation.messages.at(-1)?.content).toBe("Hello!");
  });

  test("[C19] a delta that does not join what is known changes nothing", async () => {
    const { world, client } = await opened();
    world.socket.receive(userMessage(1));
    const views = listened(client, "conversation");
    world.socket.receive(delta(50, "far away"));
    expect(views).toEqual([]);
    expect(client.conversation.runs[0]?.text).toBe("");
  });

  test("[C19] every frame comes to the frame channel as it came, duplicates too", async () => {
    const { world, client } = await opened();
    const frames = listened(client, "frame");
    world.socket.receive(userMessage(1), userMessage(1), delta(0, "x"), refusal("ack_ahead"));
    expect(frames.map(({ type }) => type)).toEqual([
      "user_message",
      "user_message",
      "partial_result",
      "error",
    ]);
  });
});
