import { describe, expect, test } from "vitest";
import type { ThreadPage } from "../../src/web/api.ts";
import { SNAPSHOT_THREADS, ThreadPages } from "../../src/web/thread-pages.ts";
import { thread, view } from "./support.ts";

const FULL = Array.from({ length: SNAPSHOT_THREADS }, (_, index) => thread(`t${index}`));

function pages(answers: readonly ThreadPage[]) {
  const asked: Array<number | undefined> = [];
  const left = [...answers];
  const list = new ThreadPages(async (before) => {
    asked.push(before);
    const answer = left.shift();
    if (answer === undefined) throw new Error("offline");
    return answer;
  });
  return { list, asked };
}

const LAST: ThreadPage = { threads: [thread("old"), thread("older")] };

function ids(list: ThreadPages, threads = FULL): string[] {
  return list.list(view({ threads })).map(({ thread_id }) => thread_id);
}

describe("the list of threads", () => {
  test("[W10] is that of the view, newest first, with no more to ask for where that is not full", () => {
    const { list } = pages([]);
    const threads = [thread("b"), thread("a")];
    expect(ids(list, threads)).toEqual(["b", "a"]);
    expect(list.hasMore(view({ threads }))).toBe(false);
    expect(list.hasMore(view({ threads: FULL }))).toBe(true);
  });

  test("[W10] goes on behind the view with older ones, each once, until there are none", async () => {
    const { list, asked } = pages([{ threads: FULL, next: 77 }, LAST]);
    await list.more();
    expect(asked).toEqual([undefined, 77]);
    expect(ids(list)).toEqual([...FULL.map(({ thread_id }) => thread_id), "old", "older"]);
    expect(list.hasMore(view({ threads: FULL }))).toBe(false);
    expect(ids(list, [thread("older"), ...FULL]).slice(0, 2)).toEqual(["older", "t0"]);
  });

  test("[W10] can be asked again where it failed, from where it was", async () => {
    const { list, asked } = pages([{ threads: FULL, next: 77 }]);
    await expect(list.more()).rejects.toThrow("offline");
    await expect(list.more()).rejects.toThrow("offline");
    expect(asked).toEqual([undefined, 77, 77]);
    expect(list.hasMore(view({ threads: FULL }))).toBe(true);
  });

  test("[W10] keeps older ones right: named anew, deleted, said something in, and forgotten after a snapshot", async () => {
    const { list } = pages([{ threads: FULL, next: 77 }, LAST]);
    await list.more();
    list.updated({ thread_id: "old", title: "renamed" });
    list.updated({ thread_id: "t0", head_message_id: "m1" });
    const awake = { ...thread("old"), title: "" };
    expect(list.list(view({ threads: [awake] }))[0]?.title).toBe("renamed");
    list.deleted("old");
    expect(ids(list).slice(-1)).toEqual(["older"]);
    expect(ids(list)).not.toContain("old");
    list.reset();
    expect([ids(list).length, list.hasMore(view({ threads: FULL }))]).toEqual([100, true]);
  });
});

describe("the name of a thread that the snapshot left out", () => {
  /** As the fold makes it when something is said in a thread it does not know. */
  const nameless = (thread_id: string) => thread(thread_id, { title: "", head_message_id: "m1" });
  const titles = (list: ThreadPages, threads: readonly ReturnType<typeof thread>[]) =>
    list.list(view({ threads })).map(({ title }) => title);
  const NEWEST: ThreadPage = { threads: [thread("t", { title: "named" })], next: 5 };

  test("[W12] is asked for once, without turning the pages", async () => {
    const { list, asked } = pages([NEWEST]);
    const now = view({ threads: [nameless("t"), ...FULL] });
    const [first, second] = [list.learnTitles(now), list.learnTitles(now)];
    expect([await first, await second, asked]).toEqual([true, false, [undefined]]);
    expect(titles(list, [nameless("t")])).toEqual(["named"]);
    expect(ids(list)).toEqual(FULL.map(({ thread_id }) => thread_id));
    expect([await list.learnTitles(now), list.hasMore(now)]).toEqual([false, true]);
  });

  test("[W12] is not asked for where it is known, or nothing has been said yet", async () => {
    const { list, asked } = pages([{ threads: FULL, next: 77 }, LAST]);
    await list.more();
    list.updated({ thread_id: "other", title: "renamed" });
    const made = thread("made", { title: "" });
    const threads = [made, nameless("old"), nameless("other"), thread("a")];
    expect(await list.learnTitles(view({ threads }))).toBe(false);
    expect(asked.length).toBe(2);
    expect(titles(list, threads).slice(0, 4)).toEqual(["", "old", "renamed", "a"]);
  });

  test("[W12] is asked for again after a failure, when told; and not for ever where there is none", async () => {
    const answers: ThreadPage[] = [];
    const { list, asked } = pages(answers);
    const now = view({ threads: [nameless("t")] });
    expect([await list.learnTitles(now), await list.learnTitles(now), asked.length]).toEqual([
      false,
      false,
      1,
    ]);
    list.again();
    await list.learnTitles(now);
    expect([await list.learnTitles(now), asked.length]).toEqual([false, 2]);
  });

  test("[W12] gives way to a later one in the view, and to a snapshot", async () => {
    let give = (_page: ThreadPage) => {};
    const list = new ThreadPages(
      () =>
        new Promise((resolve) => {
          give = resolve;
        }),
    );
    const learning = list.learnTitles(view({ threads: [nameless("t")] }));
    give(NEWEST);
    await learning;
    expect(titles(list, [thread("t", { title: "renamed" })])).toEqual(["renamed"]);
    list.reset();
    const late = list.learnTitles(view({ threads: [nameless("t")] }));
    list.reset();
    give(NEWEST);
    expect([await late, titles(list, [nameless("t")])]).toEqual([false, [""]]);
  });
});
