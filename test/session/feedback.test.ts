/** What people think of answers. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, type RecordingSocket } from "../support/desk.ts";
import { scripted } from "../support/scripted-agent.ts";

type Point = readonly [string, readonly string[], readonly number[]];

async function withAnswer(
  work: (parts: { desk: Desk; socket: RecordingSocket; answer: any; points: Point[] }) => Promise<void>,
): Promise<void> {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const points: Point[] = [];
    const desk = new Desk(storage, scripted, { measure: (...point) => points.push(point) });
    const socket = desk.connect({ client_id: "tab" });
    const payload = { content: "?", data: { script: [{ text: "so" }] } };
    await desk.send(socket, { type: "user_message", id: "q", payload });
    await desk.idle();
    await work({ desk, socket, answer: socket.of("agent_completed")[0].payload, points });
  });
}

function rate(id: string, message_id: string, rating: unknown, comment?: string) {
  return { type: "feedback", id, payload: { message_id, rating, ...(comment && { comment }) } };
}

describe("feedback", () => {
  test("[T10] is an event for every tab, counted once, and the last word is shown", () =>
    withAnswer(async ({ desk, socket, answer, points }) => {
      const other = desk.connect({ client_id: "other" });
      await desk.send(socket, rate("f1", answer.message_id, 1));
      await desk.send(socket, rate("f1", answer.message_id, 1));
      await desk.send(other, rate("f2", answer.message_id, -1, "wrong"));
      const { message_id, run_id, thread_id } = answer;
      expect(socket.of("feedback_recorded").map(({ payload }) => payload)).toMatchObject([
        { message_id, run_id, thread_id, rating: 1 },
        { message_id, rating: -1, comment: "wrong" },
      ]);
      expect(socket.of("command_ack").map(({ payload }) => payload.duplicate)).toEqual([false, true]);
      expect(points).toEqual([
        ["feedback", [thread_id, message_id, run_id], [1]],
        ["feedback", [thread_id, message_id, run_id], [-1]],
      ]);
      desk.crash();
      const [, snapshot] = desk.connect({ client_id: "late" }).sent;
      expect(snapshot.payload.messages.map(({ rating }: any) => rating)).toEqual([undefined, -1]);
    }));

  test.each([
    [
      "a question",
      (answer: any) => rate("f", answer.parent_message_id, 1),
      "not_found",
      "payload.message_id",
    ],
    ["what is not there", () => rate("f", "a_1_nothing", 1), "not_found", "payload.message_id"],
    ["no rating", (answer: any) => rate("f", answer.message_id, 0), "invalid_payload", "payload.rating"],
    [
      "a comment of 4,097 bytes",
      (answer: any) => rate("f", answer.message_id, 1, "x".repeat(4_097)),
      "too_large",
      "payload.comment",
    ],
  ])("[T10] is refused for %s", (_, frameOf, code, field) =>
    withAnswer(async ({ desk, socket, answer, points }) => {
      await desk.send(socket, frameOf(answer));
      expect(socket.of("error")[0].payload).toMatchObject({ code, field });
      expect([socket.of("feedback_recorded"), points]).toEqual([[], []]);
    }),
  );

  test("[T10] goes with its thread", () =>
    withAnswer(async ({ desk, socket, answer }) => {
      await desk.send(socket, rate("f", answer.message_id, -1, "secret comment"));
      await desk.send(socket, { type: "thread_delete", id: "d", payload: { thread_id: "main" } });
      const seen = desk.session.requests.overview();
      expect(seen).toMatchObject({ value: { feedback: { good: 0, bad: 0, newest: [] } } });
    }));
});
