import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { newUser, stubOf } from "../support/client.ts";
import { VectorPlayer } from "../support/vector-player.ts";

const VECTORS = import.meta.glob<string>("../../docs/vectors/*.jsonl", {
  query: "?raw",
  import: "default",
  eager: true,
});

describe("protocol vectors", () => {
  test.each(Object.entries(VECTORS))(
    "[P12] %s: the session sends exactly these frames",
    async (_, vector) => {
      const mismatches = await runInDurableObject(await stubOf(newUser()), (_instance, { storage }) =>
        new VectorPlayer(storage).play(vector),
      );
      expect(mismatches).toEqual([]);
    },
  );

  test("[P12] the player notices a frame that is not as the vector says", async () => {
    const wrong = '{"connect":"a","query":{}}\n{"expect":"a","frames":[]}';
    const mismatches = await runInDurableObject(await stubOf(newUser()), (_instance, { storage }) =>
      new VectorPlayer(storage).play(wrong),
    );
    expect(mismatches).toMatchObject([{ line: 2, expected: [] }]);
  });
});
