/** Histories that broke a promise once, or are worth playing every time; each is as short as it gets. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { newUser, stubOf } from "../support/client.ts";
import { play, type Step, type StepName } from "./steps.ts";

function step(name: StepName, a = 0, b = 0): Step {
  return { do: name, a, b };
}

function times(count: number, ...steps: Step[]): Step[] {
  return Array.from({ length: count }, () => steps).flat();
}

const HISTORIES: Readonly<Record<string, readonly Step[]>> = {
  "the same message from two tabs at once": [step("connect", 1), step("connect", 0), step("twice", 1)],
  "an id is forgotten after a month": [
    step("connect"),
    step("say"),
    step("month"),
    step("say"),
    step("evict"),
  ],
  "an instance dies with its commit on disk, the sockets stay": [
    step("connect", 0),
    step("connect", 1),
    step("crash_after_commit", 0, 2),
    step("again", 1, 0),
    step("say", 1),
  ],
  "an instance dies with its commit on disk, the sockets go": [
    step("connect", 0),
    step("crash_after_commit", 0, 1),
    step("connect", 0),
    step("again", 0, 0),
  ],
  "what retention has deleted takes no room in the queue": [
    step("publish_many", 0, 5),
    step("month"),
    step("publish_many", 0, 45),
    step("connect"),
  ],
  "two windows full, one tab mute, an eviction in between": [
    step("connect", 0),
    step("mute", 0),
    step("connect", 1),
    step("publish_many"),
    step("evict"),
    step("publish_many"),
    step("unmute", 0),
    step("say", 0),
  ],
  "an answer is being written while a tab is behind": [
    step("connect", 0),
    step("mute", 0),
    step("connect", 1),
    step("publish_many"),
    step("ask", 1),
    step("unmute", 0),
    step("say", 1),
  ],
  "a mute tab is closed by the alarm and comes back": [
    step("connect", 0),
    step("mute", 0),
    step("publish_many"),
    step("alarm", 0, 2),
    step("unmute", 0),
    step("connect", 0),
  ],
  "the queue is full for services and never for the user": [
    ...times(5, step("publish_many")),
    step("connect", 0),
    step("ask", 0),
    step("read", 0, 0),
    step("publish_many"),
  ],
  "three crashes in the middle of a tool that must not be repeated": [
    step("shut"),
    step("connect", 0),
    step("say", 0),
    step("ask", 0),
    ...times(3, step("crash"), step("shut"), step("connect", 0)),
  ],
  "an answer is being written when everybody leaves": [
    step("shut"),
    step("connect", 0),
    step("ask", 0),
    step("drop", 0),
    step("release"),
    step("connect", 1),
  ],
  "a deploy tells its closes to an instance that never knew the sockets": [
    ...times(2, step("connect", 0), step("connect", 1), step("vanish", 1)),
    step("deploy"),
    step("connect", 0),
    step("say", 0),
  ],
  "an upgrade that was overtaken, and its late close": [
    step("connect", 0),
    step("connect", 0),
    step("late_upgrade", 0),
    step("late_close"),
    step("say", 0),
  ],
  "retention while an instance is gone, with a notification as the last event": [
    ...times(3, step("publish", 0, 0)),
    step("month"),
    step("crash"),
    step("publish", 0, 2),
    step("connect", 0),
  ],
  "the last thing said is a notification, and a month goes by twice": [
    step("publish", 0, 0),
    step("month"),
    step("month"),
    step("publish", 0, 0),
    step("connect", 0),
  ],
  "a resync while a replay is on its way": [
    step("connect", 0),
    step("drop", 0),
    step("publish_many"),
    step("publish_many"),
    step("mute", 0),
    step("connect", 0),
    step("resync", 0),
    step("unmute", 0),
    step("say", 0),
  ],
  "eleven sockets, six of them of nobody, and a clock that is set back": [
    step("strangers", 0, 5),
    ...[0, 1, 2, 3].map((tab) => step("connect", tab)),
    step("earlier", 0, 2),
    step("strangers", 0, 0),
  ],
  "more questions than may wait, in several threads, and a crash": [
    step("connect", 0),
    step("ask_many", 0, 0),
    step("ask_many", 0, 1),
    step("crash"),
    step("connect", 0),
    step("cancel", 0, 3),
    step("order_again", 0, 0),
  ],
  "answers to a branch that was left": [
    step("connect", 0),
    step("say", 0),
    step("shut"),
    step("branch", 0, 0),
    step("branch", 0, 0),
    step("release"),
    step("reload", 0),
    step("branch", 0, 3),
    step("reload", 1),
  ],
  "a run is cancelled while the disk still writes its attempt": [
    step("connect", 0),
    step("slow_disk"),
    step("ask", 0),
    step("cancel", 0, 0),
    step("fast_disk"),
  ],
  "a run whose attempt died of the disk is cancelled before the next one": [
    step("connect", 71),
    step("stuck", 63),
    step("failing_commit_run", 0, 1),
    step("cancel", 63),
    step("say_in"),
  ],
  "a socket that throws at the sweep, before one that is silent": [
    step("earlier", 0, 47),
    step("odd_cursor", 63, 0),
    step("connect", 26),
    step("tear", 63, 31),
  ],
  "who takes nothing is due a moment after the alarm": [
    step("connect", 3),
    step("say_in", 3),
    step("later", 0, 0),
    step("overwhelm", 63),
    step("punctual"),
    step("say_in"),
  ],
  "a page sleeps for more than a month, and a thread it shows is deleted meanwhile": [
    step("connect", 0),
    step("say", 0),
    step("say_in", 0, 1),
    step("drop", 0),
    step("connect", 2),
    step("delete_thread", 2, 1),
    step("say", 2),
    step("month"),
    step("connect", 0),
  ],
  "asked again by an answer of before, while another one is being written": [
    step("connect", 0),
    step("ask", 0),
    step("shut"),
    step("regenerate", 0, 0),
    step("regenerate", 0, 1),
  ],
  "a thread is deleted while one run works in it, another waits, and a third waits for them": [
    step("connect", 0),
    step("connect", 1),
    step("delete_asked", 0, 2),
    step("release"),
    step("late", 1, 3),
    step("late", 1, 0),
    step("order_again", 0, 0),
    step("again", 0, 0),
  ],
  "a deletion that is on disk, and not a word said": [
    step("connect", 0),
    step("connect", 1),
    step("say_in", 0, 1),
    step("drop", 1),
    step("delete_crash", 0, 2),
    step("connect", 1),
    step("connect", 0),
    step("order_again", 0, 0),
    step("late", 1, 3),
  ],
  "the default thread begins anew, is deleted again, and a month goes by": [
    step("connect", 0),
    step("ask", 0),
    step("delete_thread", 0),
    step("again", 0, 0),
    step("say", 0),
    step("delete_thread", 0),
    step("say", 0),
    step("month"),
    step("reload", 0),
  ],
  "another answer, another branch, and back, over a new instance": [
    step("connect", 0),
    step("ask", 0),
    step("regenerate", 0, 1),
    step("say", 0),
    step("show", 0, 1),
    step("evict"),
    step("say", 0),
    step("regenerate", 0, 0),
    step("reload", 1),
  ],
  "a commit that fails at the end, while a socket is torn": [
    step("connect", 0),
    step("connect", 1),
    step("tear", 1, 1),
    step("failing_commit", 0, 0),
    step("failing_commit", 0, 1),
    step("again", 0, 0),
  ],
};

describe("a history of note", () => {
  test.each(Object.entries(HISTORIES))("[M3] %s", async (_, steps) => {
    await runInDurableObject(await stubOf(newUser()), async (_instance, { storage }) => {
      await expect(play(storage, steps)).resolves.toBeUndefined();
    });
  });
});
