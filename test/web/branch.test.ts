import { describe, expect, test } from "vitest";
import { branchTo, newestAfter, versionsBeside, versionsOf } from "../../src/web/branch.ts";
import { message } from "./support.ts";

/** Two versions of the second question, and two answers to the first of them. */
const TREE = [
  message("m1", null),
  message("a2", "m1"),
  message("m3", "a2"),
  message("a4", "m3"),
  message("m5", "a2"),
  message("a6", "m5"),
  message("a7", "m3"),
];

function ids(messages: ReturnType<typeof branchTo>): string[] {
  return messages.map(({ message_id }) => message_id);
}

describe("a branch", () => {
  test("[W9] goes from the first message to its end, and through nothing else", () => {
    expect(ids(branchTo(TREE, "a6"))).toEqual(["m1", "a2", "m5", "a6"]);
    expect(ids(branchTo(TREE, "a4"))).toEqual(["m1", "a2", "m3", "a4"]);
    expect(ids(branchTo(TREE, "m1"))).toEqual(["m1"]);
  });

  test("[W9] begins where the messages are known, and is empty without its end", () => {
    expect(ids(branchTo(TREE.slice(2), "a4"))).toEqual(["m3", "a4"]);
    expect(branchTo(TREE, "a99")).toEqual([]);
    expect(branchTo(TREE, null)).toEqual([]);
    expect(branchTo([], undefined)).toEqual([]);
  });

  test("[W9] through a message ends with the newest that was said after it", () => {
    expect(newestAfter(TREE, "m3")).toBe("a7");
    expect(newestAfter(TREE, "m5")).toBe("a6");
    expect(newestAfter(TREE, "m1")).toBe("a7");
    expect(newestAfter(TREE, "a4")).toBe("a4");
    expect(newestAfter(TREE, "unknown")).toBe("unknown");
  });
});

describe("versions", () => {
  test("[W9] are what follows the same message, oldest first", () => {
    expect(versionsOf(TREE, message("m5", "a2"))).toEqual({ ids: ["m3", "m5"], index: 1 });
    expect(versionsOf(TREE, message("a4", "m3"))).toEqual({ ids: ["a4", "a7"], index: 0 });
  });

  test("[W9] are none where there is only one", () => {
    expect(versionsOf(TREE, message("m1", null))).toBeUndefined();
    expect(versionsOf(TREE, message("a6", "m5"), ["a6"])).toBeUndefined();
    expect(versionsBeside(TREE, "a7")).toBeUndefined();
  });

  test("[W9] count what only the server knows, and what was said after it was asked", () => {
    const latest = [...TREE, message("m8", null)];
    expect(versionsOf(latest, message("m8", null), ["m0", "m1"])).toEqual({
      ids: ["m0", "m1", "m8"],
      index: 2,
    });
    expect(versionsBeside(TREE, "m3")).toEqual({ ids: ["a4", "a7"], index: 2 });
  });
});
