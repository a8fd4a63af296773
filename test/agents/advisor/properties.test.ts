/** What holds for every input: the same effects each time, and no saving that the spend could not give. */
import { describe, expect, test } from "vitest";
import { advisor } from "../../../src/agents/advisor/advisor.ts";
import { pieces } from "../../../src/agents/advisor/stream.ts";
import { rankRecommendations } from "../../../src/agents/advisor/tools/rank-recommendations.ts";
import { validate } from "../../../src/agents/schema.ts";
import { ask, drive, toolContext } from "../../support/drive-agent.ts";

/** A small generator of our own (mulberry32): the seed alone reproduces a failure. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1);

function pick<T>(next: () => number, choices: readonly T[]): T {
  const chosen = choices[Math.floor(next() * choices.length)];
  if (chosen === undefined) throw new Error("nothing to choose from");
  return chosen;
}

/** A question made of phrases a person might string together. */
function question(next: () => number): string {
  const amount = Math.round(10 ** (2 + next() * 5));
  const phrases = [
    `$${amount} per month on ${pick(next, ["AI infrastructure", "OpenAI", "GPUs", "training", "data pipelines", "AWS"])}`,
    `€${Math.round(amount / 1000)}k a year`,
    `${Math.ceil(next() * 64)}xH100 at ${Math.round(next() * 100)}% utilization`,
    `${Math.ceil(next() * 900)}M tokens/day on ${pick(next, ["gpt-5", "claude opus 4.6", "gpt-5-nano", "gpt-9"])}`,
    `${Math.round(next() * 100)}% of it on ${pick(next, ["gpt-4o", "training", "GPUs"])}`,
    `cut it to $${Math.round(amount * next())}`,
    `$${Math.round(amount * next())} on storage`,
    `${Math.round(next() * 100)}% cache hit rate, ${Math.round(next() * 100)}% of runs fail`,
  ];
  return `Optimize costs: ${phrases.filter(() => next() < 0.4).join(", ")}.`;
}

function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

describe("whatever is asked", () => {
  test.each(SEEDS)("[G13] savings are finite, not negative, and within the spend (seed %i)", async (seed) => {
    const asked = question(random(seed));
    const driven = await drive(advisor, ask(asked));
    const ranking = driven.tools.find(({ name }) => name === "rank_recommendations");
    const spend = numbersIn(Object.values(ranking?.args ?? {})[0]).reduce((sum, each) => sum + each, 0);
    const savings = driven.report?.recommendations ?? [];
    const high = savings.reduce((sum, each) => sum + each.monthly_saving_high, 0);
    expect(high, `seed ${seed}: ${asked}`).toBeLessThanOrEqual(spend + 0.01);
    for (const { monthly_saving_low: low, monthly_saving_high: top } of savings) {
      expect(low, `seed ${seed}: ${asked}`).toBeGreaterThanOrEqual(0);
      expect(low, `seed ${seed}: ${asked}`).toBeLessThanOrEqual(top);
    }
    expect(numbersIn(driven.effects).every(Number.isFinite), `seed ${seed}: ${asked}`).toBe(true);
    expect(driven.text, `seed ${seed}: ${asked}`).not.toMatch(/NaN|Infinity|undefined|null|\[object/);
    expect(driven.durableEffects).toBeLessThanOrEqual(20);
    expect(driven.report?.questions.length).toBeLessThanOrEqual(3);
    const known = driven.report?.assumptions.map(({ id }) => id);
    for (const each of savings) expect(known).toEqual(expect.arrayContaining(each.assumption_ids));
  });

  test.each(SEEDS.slice(0, 20))(
    "[G14] the same input has the same effects, live and replayed (seed %i)",
    async (seed) => {
      const input = ask(question(random(seed)));
      const first = await drive(advisor, input);
      expect((await drive(advisor, input)).effects).toEqual(first.effects);
      const recorded = JSON.parse(JSON.stringify(first.outcomes));
      expect((await drive(advisor, input, { recorded })).effects).toEqual(first.effects);
    },
  );

  test("[G14] neither the ids of a run nor its time change the answer", async () => {
    const question = "Help me optimize costs";
    const first = await drive(advisor, ask(question));
    const other = await drive(
      advisor,
      ask(question, { run_id: "r_2", thread_id: "t", now: "2030-01-01T00:00:00.000Z" }),
    );
    expect(other.effects).toEqual(first.effects);
  });

  test("[G14] a recorded failure is replayed as one", async () => {
    const input = ask("I spend $50k/month on AI infrastructure, optimize costs");
    const first = await drive(advisor, input, { broken: ["simulate_batch"] });
    expect((await drive(advisor, input, { recorded: first.outcomes })).effects).toEqual(first.effects);
  });

  test("[G13] more spend never saves less", async () => {
    let before = 0;
    for (const spend of [10, 999, 1_000, 5_000, 9_999, 10_001, 50_000, 123_456, 1_000_000, 9e9]) {
      const { report } = await drive(
        advisor,
        ask(`I spend $${spend} a month on AI infrastructure, optimize costs`),
      );
      const total = (report?.recommendations ?? []).reduce((sum, each) => sum + each.monthly_saving_high, 0);
      expect(total, `at ${spend}`).toBeGreaterThanOrEqual(before);
      before = total;
    }
  });

  test.each(SEEDS)("[G13] ranking stays within every bucket (seed %i)", async (seed) => {
    const next = random(seed);
    const buckets = ["a", "b", "c"].map((bucket) => ({ bucket, spend: Math.round(10 ** (next() * 8)) / 10 }));
    const levers = Array.from({ length: 12 }, (_, index) => {
      const high = next();
      return {
        lever: `l${index}`,
        bucket: pick(next, ["a", "b", "c", "d"]),
        share: [next() * high, high] as [number, number],
        confidence: pick(next, ["low", "medium", "high"] as const),
        effort: pick(next, ["low", "medium", "high"] as const),
      };
    });
    const args = validate(rankRecommendations.input, { buckets, levers, alternatives: [] }, "args");
    const { ranked, total } = await rankRecommendations.execute(args, toolContext());
    for (const { bucket, spend } of buckets) {
      const saved = ranked
        .filter((each) => each.bucket === bucket)
        .reduce((sum, { saving }) => sum + saving[1], 0);
      expect(saved, `seed ${seed}`).toBeLessThanOrEqual(spend + 0.01);
    }
    expect(total[0], `seed ${seed}`).toBeLessThanOrEqual(total[1]);
  });
});

describe("streaming", () => {
  test("[G15] pieces are 20 to 60 characters, cut at word boundaries, and paced", async () => {
    const driven = await drive(
      advisor,
      ask("I'm spending $50k/month on AI infrastructure. Help me optimize costs."),
    );
    const deltas = driven.deltas;
    for (const delta of deltas) expect(delta.length).toBeLessThanOrEqual(60);
    const opening = deltas.findIndex((delta) => delta.endsWith("\n\n"));
    for (const [index, delta] of deltas.slice(0, -1).entries()) {
      expect(delta).toMatch(/\s$/);
      if (index !== opening) expect(delta.length).toBeGreaterThanOrEqual(20);
    }
    const paced = driven.effects.filter((effect) => JSON.stringify(effect).includes('"pace_ms":14'));
    expect(paced).toHaveLength(deltas.length);
    expect(deltas.length * 14).toBeGreaterThan(1_000);
    expect(deltas.length * 14).toBeLessThan(2_500);
  });

  test("[G15] pieces add up to the answer", () => {
    for (const text of ["", "a", "word ".repeat(100), "x".repeat(500), " ".repeat(100)]) {
      expect(pieces(text).join("")).toBe(text);
    }
    expect(pieces("")).toEqual([]);
  });

  test("[G15] a surrogate pair is never split", () => {
    for (let shift = 0; shift < 4; shift += 1) {
      const text = "x".repeat(shift) + "🙂".repeat(200);
      for (const piece of pieces(text)) expect(piece.isWellFormed()).toBe(true);
      expect(pieces(text).join("")).toBe(text);
    }
  });
});
