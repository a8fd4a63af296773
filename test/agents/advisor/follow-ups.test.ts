/** A conversation: later questions rest on what was said before, and say that they do. */
import { describe, expect, test } from "vitest";
import { advisor } from "../../../src/agents/advisor/advisor.ts";
import type { HistoryMessage } from "../../../src/agents/agent.ts";
import { ask, type Driven, drive } from "../../support/drive-agent.ts";

/** Asks one question after the other, each with everything before it. */
async function talk(...questions: readonly string[]): Promise<Driven> {
  const history: HistoryMessage[] = [];
  let last: Driven | undefined;
  for (const question of questions) {
    last = await drive(advisor, ask(question, { history: [...history] }));
    history.push({ role: "user", content: question }, { role: "assistant", content: last.text });
  }
  if (last === undefined) throw new Error("nothing was asked");
  return last;
}

const FIFTY_K = "I'm spending $50k/month on AI infrastructure. Help me optimize costs.";

describe("a follow-up", () => {
  test("[G25] for a price is that price; a comparison is of the bill that was named", async () => {
    for (const before of [FIFTY_K, "date,service,cost_usd\n2026-05,OpenAI,5000\n2026-06,OpenAI,7000"]) {
      expect((await talk(before, "What does an H100 cost per hour?")).text).toMatch(/^- \*\*H100\*\*/);
      expect((await talk(before, "price of gpt-5?")).text).toMatch(/^- \*\*gpt-5\*\*/);
      expect((await talk(before, "compare gpt-5 with claude-sonnet-4-6")).text).toContain("Same tokens");
    }
  });

  test("[G19] about one step is about that step alone, with its break-even", async () => {
    const { text, tools, report } = await talk(FIFTY_K, "what about caching?");
    expect(text).toContain("As you said earlier in this thread, you spend **$50,000 a month**");
    expect(tools.map(({ name }) => name)).toEqual(["simulate_caching", "rank_recommendations"]);
    expect(report?.recommendations.map(({ title }) => title)).toEqual(["Cache repeated prompt prefixes"]);
    expect(text).toContain("Break-even at a hit rate of 22 %");
  });

  test("[G19] that supposes something starts from the bill that was named", async () => {
    const { text, report } = await talk(FIFTY_K, "and if we cut the GPU hours by half?");
    expect(text).toContain("GPU compute goes from $17,500 to $8,750");
    expect(text).toContain("the bill from $50,000 to **$41,250 a month**: $8,750 a month less (18 %)");
    expect(text).toContain("the rest then runs at 90 %");
    // What is halved cannot be right-sized on top.
    expect(report?.recommendations.map(({ title }) => title).join()).not.toContain("Right-size");
    expect(report?.assumptions.map(({ text: said }) => said).join()).toContain("GPU compute × 0.5");
  });

  test("[G19] says where less does not fit", async () => {
    const { text } = await talk(
      "Our 8xA100 run at 70% utilization, cut GPU costs",
      "what if we halve the GPU hours?",
    );
    expect(text).toContain("it does not fit");
    expect(text).toContain("From earlier in this thread: 8 × A100, 70 % utilisation.");
  });

  test.each([
    ["what if traffic doubles?", "LLM API calls goes from $25,000 to $50,000"],
    ["what if we use 20% fewer tokens?", "LLM API calls goes from $25,000 to $20,000"],
    ["what if we assume traffic doubles?", "LLM API calls goes from $25,000 to $50,000"],
    ["and if GPU usage grows by 10%?", "GPU compute goes from $17,500 to $19,250"],
    ["suppose everything were cut to a third", ""],
  ])("[G19] %s", async (question, expected) => {
    expect((await talk(FIFTY_K, question)).text).toContain(expected);
  });

  test.each([
    [FIFTY_K, "No, we have no GPUs at all"],
    ["We have no GPUs. $50k/month", "where can we save?"],
    ["$50k a month, we do not train models or run GPUs", "where can we save?"],
  ])("[G19] what is said to be nothing is no topic: %s %s", async (...questions) => {
    const { text, report } = await talk(...questions);
    expect(report?.assumptions.map(({ text: said }) => said).join()).toContain(
      "77 % LLM API calls, 23 % platform",
    );
    expect(text).not.toContain("Right-size");
    expect(text).not.toContain("If your split is different");
  });

  test("[G19] that corrects the split keeps the topic", async () => {
    const { report } = await talk(FIFTY_K, "the GPUs are only 10 % of it");
    expect(report?.assumptions[0]?.text).toContain("$45,000 without a breakdown is 77 % LLM API calls");
    expect(report?.recommendations.map(({ title }) => title)).toContain("Cache repeated prompt prefixes");
    const rest = await talk(
      "We spend $50k/month on AI infrastructure",
      "60 % is training, the rest is OpenAI",
    );
    expect(rest.text).not.toContain("without a breakdown");
    expect(rest.text).toContain("$20,000 a month for LLM API calls");
  });

  test.each([
    ["We spend $50k/month on AI infrastructure. How much would batching save?", ["Batch work that can wait"]],
    ["We spend $50k/month on gpt-5, would caching pay off?", ["Cache repeated prompt prefixes"]],
    ["Should we buy reserved capacity for 8 A100s running 24/7 at 85 %?", ["Commit to GPUs that always run"]],
  ])("[G19] or a first question, gets the step it asks about: %s", async (question, titles) => {
    const { report } = await talk(question);
    expect(report?.recommendations.map(({ title }) => title)).toEqual(titles);
  });

  test.each([
    "We spend $50k/month on AI infrastructure and use caching. How much can we save?",
    "We spend $50k/month on AI infrastructure. Does anything help besides batching?",
    "$50k/month on AI infrastructure: caching, batching, GPUs, where do we begin?",
  ])("[G19] a step that is only told of is not all that is asked: %s", async (question) => {
    expect((await talk(question)).report?.recommendations.length).toBeGreaterThan(1);
  });

  test("[G19] with another figure replaces the old one, in the currency named before", async () => {
    expect((await talk(FIFTY_K, "we spend 80k instead")).text).toContain("You spend **$80,000 a month**");
    expect(
      (await talk("We spend €50k a month on AI infrastructure, optimize", "it's 80k instead")).text,
    ).toContain("**€80,000 a month**");
    expect(
      (await talk("We spend €50k a month on AI infrastructure, optimize", "we spend 80k instead")).text,
    ).toContain("**€80,000 a month**");
  });

  test.each([
    ["actually it's 80k", "80,000"],
    ["it is 80k now, not 50k", "80,000"],
    ["Sorry, not $50k, it is $80k", "80,000"],
    ["make it 80k a month", "80,000"],
    ["sorry, 80k", "80,000"],
    ["we have 80k users now", "50,000"],
    ["what about caching? We do 80k calls", "50,000"],
  ])("[G19] a lone amount in a correction is the new total: %s", async (question, expected) => {
    expect((await talk(FIFTY_K, question)).text).toContain(`spend **$${expected} a month**`);
  });

  test("[G25] a price is a price, whatever was said before", async () => {
    const { text } = await talk(FIFTY_K, "how much is gpt-5 per million tokens?");
    expect(text).toMatch(/^- \*\*gpt-5\*\*, per 1M tokens: \$1.25 input/);
  });

  test("[G19] a correction keeps the period of what it corrects", async () => {
    expect((await talk("We spend $600k a year on AI infrastructure", "actually it's 720k")).text).toContain(
      "**$60,000 a month**",
    );
  });

  test.each<[string, string[]]>([
    ["We already use caching and batching", ["Cache", "Batch"]],
    ["We already cache everything. What else?", ["Cache"]],
    ["What can we do besides caching?", ["Cache"]],
    ["We do caching, what else?", ["Cache"]],
    ["no caching, please", ["Cache"]],
    ["What can we save without caching?", ["Cache"]],
    ["We do batching already, and caching. What else?", ["Cache", "Batch"]],
    ["We can't route calls to smaller models", ["Route"]],
  ])("[G23] leaves out what is done or not wanted: %s", async (question, out) => {
    const { text, report } = await talk(FIFTY_K, question);
    const titles = report?.recommendations.map(({ title }) => title) ?? [];
    expect(titles).toHaveLength(6 - out.length);
    for (const each of out) expect(titles.join()).not.toContain(each);
    expect(text).toContain("Left out, as you said:");
    expect(text).toContain("**$50,000 a month**");
  });

  test.each([
    ["should we use caching?", "Cache"],
    ["we do not cache yet, is that worth it?", "Cache"],
    ["what if we use caching?", "Cache"],
    ["is caching already included?", "Cache"],
    ["we run without caching", "Cache"],
    ["we don't batch anything, does it help?", "Batch"],
    ["not caching but batching?", "Batch"],
    ["We already cache, what about batching?", "Batch"],
  ])("[G23] what is asked about is not left out: %s", async (question, step) => {
    const { report } = await talk(FIFTY_K, question);
    expect(report?.recommendations.map(({ title }) => title.split(" ")[0])).toEqual([step]);
  });

  test("[G23] what is done stays left out, until it is asked about", async () => {
    const said = "I spend $50k/month on AI infrastructure and already use caching. Help me optimize costs.";
    expect((await talk(said)).text).not.toContain("| Cache");
    expect((await talk(said, "which first?")).text).not.toContain("| Cache");
    expect((await talk(said, "what about caching?")).report?.recommendations).toHaveLength(1);
  });

  test("[G19] “what did you assume?” lists that, and nothing else", async () => {
    const first = await talk(FIFTY_K);
    const { text, report } = await talk(FIFTY_K, "what did you assume?");
    expect(report?.assumptions).toEqual(first.report?.assumptions);
    for (const each of report?.assumptions ?? []) expect(text).toContain(`${each.id}: ${each.text}`);
    expect(text).not.toMatch(/Monday|Realistic|\| 1 \|/);
  });

  test("[G19] “why?” gives the arithmetic, what orders them and the assumptions of the same steps", async () => {
    const first = await talk(FIFTY_K);
    const { text, report } = await talk(FIFTY_K, "why?");
    expect(report?.recommendations).toEqual(first.report?.recommendations);
    expect(text).toContain("Why these steps, and why in this order");
    expect(text).toMatch(/Rests on A1.*\./);
    expect(text).toContain("ordered by middle saving × confidence");
    expect(text).not.toContain("Score");
    expect((await talk(FIFTY_K, "why routing?")).report?.recommendations).toHaveLength(1);
  });

  test("[G19] “which first?” names one step, the next, and what not to begin with", async () => {
    const { text } = await talk(FIFTY_K, "which first?");
    expect(text).toContain("**First: cache repeated prompt prefixes.**");
    expect(text).toContain("Then: route easy calls to a smaller model.");
    expect(text).toContain("do not begin with it");
    expect(text).toContain("Monday morning");
  });

  test("[G19] uses data pasted earlier", async () => {
    const csv =
      "date,service,model,cost,currency\n2026-05-01,OpenAI,gpt-5,12000,USD\n2026-05-01,AWS GPU,,8000,USD";
    const { text } = await talk(`Where can we save?\n${csv}`, "which first?");
    expect(text).toContain("From earlier in this thread: your data.");
    expect(text).toContain("$20,000 a month");
  });

  test.each(["why?", "which first?", "what if we halve it?", "and?"])(
    "[G19] %j with nothing before it invents nothing",
    async (question) => {
      const { text, tools } = await talk(question);
      expect(text).not.toContain("earlier in this thread");
      expect(text).not.toContain("You spend");
      expect(tools).toEqual([]);
    },
  );

  test("[G19] what an assistant said is no fact", async () => {
    const history: HistoryMessage[] = [
      { role: "assistant", content: "You spend $70,000 a month on 8xA100." },
    ];
    const { text } = await drive(advisor, ask("what about caching for our LLM costs?", { history }));
    expect(text).not.toContain("70,000");
    expect(text).toContain("I found no figures");
  });
});

describe("what nobody pays", () => {
  test.each(["$1e400", "-$5000", "$-5000", "$NaN", "$Infinity", "$99999999999999999999"])(
    "[G20] %s is named and left out",
    async (amount) => {
      const { text, report } = await talk(`We spend ${amount} a month on OpenAI, help us optimize costs`);
      expect(text).toContain(`I could not read ${amount} as an amount`);
      expect(text).toContain("I found no figures");
      expect(JSON.stringify(report)).not.toMatch(/NaN|Infinity|null/);
    },
  );

  test.each(["$50k-80k", "$50k - $80k", "$50k–80k"])(
    "[G20] %s is a range, not a negative",
    async (amount) => {
      expect((await talk(`We spend ${amount} a month on AI infrastructure`)).text).toContain(
        "$65,000 a month",
      );
    },
  );
});

describe("greetings in other languages", () => {
  test.each(["Hola, ¿qué tal?", "Bonjour !", "Guten Tag", "你好", "Привет", "こんにちは"])(
    "[G6] %s",
    async (question) => {
      expect((await talk(question)).text).toMatch(/^Hello! I answer in English/);
    },
  );

  test.each(["asdf qwer", "What is the capital of France?", "???"])(
    "[G6] nonsense is said to be none: %s",
    async (question) => {
      expect((await talk(question)).text).toMatch(/^I found nothing about costs/);
    },
  );
});
