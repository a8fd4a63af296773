import { describe, expect, test } from "vitest";
import { type Given, problemOfComment, Ratings } from "../../src/web/ratings.ts";
import { view } from "./support.ts";

const GOOD: Given = { message_id: "a2", rating: 1 };
const BAD: Given = { message_id: "a2", rating: -1 };

describe("a rating on its way", () => {
  test("[W11] is shown at once, and until the view has seen its event", () => {
    const ratings = new Ratings();
    ratings.add(GOOD);
    ratings.settle(view({ last_seq: 100 }));
    expect([ratings.of("a2"), ratings.of("a4")]).toEqual([1, undefined]);
    ratings.stored(GOOD, 7);
    ratings.settle(view({ last_seq: 6 }));
    expect(ratings.of("a2")).toBe(1);
    ratings.settle(view({ last_seq: 7 }));
    expect(ratings.of("a2")).toBeUndefined();
  });

  test("[W11] is gone if it was refused", () => {
    const ratings = new Ratings();
    ratings.add(GOOD);
    ratings.refused(GOOD);
    expect(ratings.of("a2")).toBeUndefined();
  });

  test("[W11] gives way to the last one, whatever becomes of it itself", () => {
    const ratings = new Ratings();
    for (const end of [
      () => ratings.refused(GOOD),
      () => {
        ratings.stored(GOOD, 1);
        ratings.settle(view({ last_seq: 1 }));
      },
    ]) {
      ratings.add(GOOD);
      ratings.add(BAD);
      end();
      expect(ratings.of("a2")).toBe(-1);
    }
  });
});

describe("a comment", () => {
  test("[W11] has at most 4 KiB, counted in bytes", () => {
    expect(problemOfComment("")).toBe("");
    expect(problemOfComment("x".repeat(4096))).toBe("");
    expect(problemOfComment("x".repeat(4097))).toContain("shorten it by 1 characters or fewer");
    expect(problemOfComment("é".repeat(2048))).toBe("");
    expect(problemOfComment("é".repeat(2049))).toContain("shorten it by 2 ");
  });
});
