/** Random histories against the real session; see docs/model.md. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, test } from "vitest";
import { newUser, stubOf } from "../support/client.ts";
import { SCENE_COUNT, scene } from "./scenes.ts";
import { play, STEP_NAMES, type Step } from "./steps.ts";

const MAX_STEPS = 40;

/** So often the histories so far are let go: otherwise all of them were one transaction. */
const REST_EVERY = 50;

const step = fc.record({ do: fc.constantFrom(...STEP_NAMES), a: fc.nat(99), b: fc.nat(99) });

/** Steps one by one, with a scene now and then. */
const acts = fc.oneof(
  { weight: 40, arbitrary: step.map((one) => [one]) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(SCENE_COUNT - 1), fc.nat(99)).map(([index, a]) => scene(index, a)),
  },
);

const steps = fc.array(acts, { minLength: 1, maxLength: MAX_STEPS }).map((chosen) => chosen.flat());

function readable(history: readonly Step[]): string {
  return history.map((step) => JSON.stringify(step)).join(",\n");
}

describe("the model", () => {
  test("[M1] random histories break no promise", async () => {
    const seed = Number(env.MODEL_SEED);
    const runs = Number(env.MODEL_RUNS);
    const begun = Date.now();
    await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
      let played = 0;
      const property = fc.asyncProperty(steps, async (history) => {
        played += 1;
        if (played % REST_EVERY === 0) await scheduler.wait(0);
        await play(storage, history);
      });
      const path = env.MODEL_PATH === "" ? {} : { path: env.MODEL_PATH };
      const report = await fc.check(property, { seed, numRuns: runs, ...path });
      const rate = Math.round((played / Math.max(1, Date.now() - begun)) * 1_000);
      // biome-ignore lint/suspicious/noConsole: the seed must be known whatever comes of it
      console.log(`model: ${played} histories, seed ${seed}, ${rate}/s`);
      if (!report.failed) return;
      const history = readable(report.counterexample?.[0] ?? []);
      const again = `npm run model -- --seed ${seed} --path ${report.counterexamplePath}`;
      throw new Error(
        `${report.errorInstance}\nafter ${report.numRuns} histories; again: ${again}\n${history}`,
      );
    });
  });
});
