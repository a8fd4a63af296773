/** Real exports in their true layouts: what is read from them, what is refused, and what the answer says of it. */
import { describe, expect, test } from "vitest";
import { advisor, advisorWith } from "../../../src/agents/advisor/advisor.ts";
import { parseUsage, type Usage } from "../../../src/agents/advisor/tools/parse-usage.ts";
import { type Summary, summarizeSpend } from "../../../src/agents/advisor/tools/summarize-spend.ts";
import { ask, type Driven, drive, toolContext } from "../../support/drive-agent.ts";

const FILES = import.meta.glob<string>("../../fixtures/usage/*", {
  query: "?raw",
  import: "default",
  eager: true,
});

const fixture = (name: string): string => {
  const found = FILES[`../../fixtures/usage/${name}`];
  if (found === undefined) throw new Error(`no fixture ${name}`);
  return found;
};

const context = toolContext();
const parse = async (text: string): Promise<Usage> => parseUsage.execute({ text }, context);

async function summarize({ rows, days, measures, series, currencies }: Usage): Promise<Summary> {
  const [main] = currencies;
  return summarizeSpend.execute({ rows, days, measures, series, currency: main?.currency ?? "" }, context);
}

const rejectedOf = ({ rejected }: Usage) =>
  Object.fromEntries(rejected.map(({ reason, count }) => [reason, count]));

const about = (name: string, question = "Where can we save?"): Promise<Driven> =>
  drive(advisor, ask(question, { data: { csv: fixture(name) } }));

describe("what is wanted of data", () => {
  test("[G17] a bill of cents is shown, and left alone", async () => {
    const { report, text } = await about("litellm-spend-logs.jsonl");
    expect(text).toContain("too small to work on");
    expect(text).not.toMatch(/Monday|services make|nobody owns|smaller model|of calls/);
    expect(report?.recommendations).toEqual([]);
    expect(report?.assumptions.map((each) => each.text).join()).not.toMatch(/repeat|Shares/);
  });

  test("[G17] nobody is sent for the utilisation they have brought", async () => {
    expect((await about("gpu-inventory.csv")).text).not.toContain("Export GPU utilisation");
    expect((await about("focus-1.0.csv")).text).toContain("GPUs: which, how many, how busy");
  });

  const opened = async (csv: string) =>
    (await drive(advisor, ask("Where can we save?", { data: { csv } }))).text.split("\n")[0];

  test("[G17] less than a week is told as what was paid, and a month as a guess from it", async () => {
    const rows = [4, 6, 5, 5, 6].map((cost, at) => `2026-06-0${at + 1},OpenAI,${cost}000`);
    const said = await opened(["date,service,cost", ...rows].join("\n"));
    expect(said).toContain("**$26,000 in 5 days**, extrapolated $158,167 a month");
  });

  test.each([
    ["openai-costs.json", "**$10,380 a month** ($3,413 in 10 days)"],
    ["nvidia-smi.csv", "**$16,060 a month** at planning rates, as of one moment:"],
    ["gpu-inventory.csv", "**$79,324 a month**:"],
    ["focus-1.0.csv", "2026-04 $15,664 (14 days), 2026-05 $36,579 (31 days, +5 % a day)"],
  ])("[G17] what %s covers is said", async (name, expected) => {
    expect((await about(name)).text).toContain(expected);
  });

  test("[G17] months are counted", async () => {
    expect(await opened("month,cost\n2026-05,100\n2026-06,300")).toContain(
      "**$200 a month** ($400 in 2 months)",
    );
  });

  test("[G12] input and output as lines of the bill are the mix, not five to one", async () => {
    const { report, text, tools } = await about("openai-costs.json");
    const caching = tools.find(({ name }) => name === "simulate_caching");
    expect(Object(caching?.args).input_share).toBeCloseTo(0.72, 2);
    expect(text).toContain("72 % of cost is input");
    expect(text).not.toMatch(/5 input tokens per output|how many input and output tokens/);
    expect(report?.assumptions.map(({ text: said }) => said).join()).toContain("turned into tokens of gpt-5");
  });

  test.each([
    ["only input", "gpt-5, input,100\ngpt-5, cached input,50"],
    ["no known model", "gpt-99, input,100\ngpt-99, output,50"],
    ["no lines by direction", "gpt-5,100\nother,50"],
  ])("[G12] %s is no mix", async (_, lines) => {
    const csv = `service,cost\n${lines.replaceAll(/^(.*),(\d+)$/gm, '"$1",$2')}`;
    expect((await drive(advisor, ask("Where can we save?", { data: { csv } }))).text).not.toContain(
      "turned into",
    );
  });

  test("[G17] what one fleet saves leaves less of that fleet to commit to", async () => {
    const { report, text } = await about("gpu-inventory.csv");
    const saved = (title: RegExp) => report?.recommendations.find((each) => title.test(each.title));
    // 13 of 24 H100s left, $37,011, × 40 % × 31 %; and the same of an L4 of $192.
    expect(saved(/Commit/)?.monthly_saving_low).toBeCloseTo(37_011 * 0.4 * (1 - 2.7 / 3.9), -2);
    expect(saved(/Commit/)?.evidence).toMatch(
      /\$68,328 a month for 24 × H100: .* \$192 a month for 1 × L4: /,
    );
    // Nobody said that they serve models.
    expect(text).not.toContain("Quantise");
    const serving = await about("gpu-inventory.csv", "We serve models. Where can we save?");
    // The same arithmetic is said once.
    expect(serving.report?.recommendations.find((each) => /Quantise/.test(each.title))?.evidence).toMatch(
      /^\$68,328 a month for 24 × H100, \$10,804 a month for 8 × A100 reserved, \$192 a month for 1 × L4: rule of thumb[^;]*$/,
    );
  });

  test("[G17] when a sum is exceeded is answered with the month, and months have names", async () => {
    const csv = "month,cost\n2026-04,20000\n2026-05,22200\n2026-06,24200";
    const { text } = await drive(advisor, ask("When do we exceed $30k a month?", { data: { csv } }));
    expect(text).toContain("$30,000 a month is passed in 2026-09 at this pace");
    expect(text).toContain("2026-07 $26,300");
    expect(text).not.toMatch(/Not used|month 1/);
    // May is missing: a month that is over is no forecast, and two are no trend.
    const gap = "month,cost\n2026-03,1\n2026-04,20000\n2026-06,22200\n2026-07,24200";
    const after = await drive(advisor, ask("Forecast?", { data: { csv: gap } }));
    expect(after.text).toContain("2 points are too few for a trend");
    const longer = await drive(advisor, ask("Forecast?", { data: { csv: `${gap}\n2026-08,26200` } }));
    expect(longer.text).toContain("2026-09 $28,200");
  });
});

describe("a FOCUS export", () => {
  test("[G16] has its columns, its currencies apart, and its faults counted", async () => {
    const usage = await parse(fixture("focus-1.0.csv"));
    expect(usage.accepted).toBe(136);
    expect(rejectedOf(usage)).toEqual({
      "wrong number of columns": 1,
      "negative cost": 1,
      "cost is not a number": 1,
    });
    expect(usage.currencies.map(({ currency }) => currency)).toEqual(["USD", "EUR"]);
    expect(usage.days).toBe(45);
    expect(usage.gaps).toBe(0);
  });

  test("[G17] is summed up by provider, service and month, with unit costs and what nobody owns", async () => {
    const summary = await summarize(await parse(fixture("focus-1.0.csv")));
    expect(summary.by_provider.map(({ key }) => key)).toEqual(["AWS"]);
    expect(summary.by_category.map(({ key }) => key)).toEqual(["gpu", "llm_api", "data"]);
    expect(summary.by_service[0]?.key).toBe("Amazon Elastic Compute Cloud");
    expect(summary.pareto).toEqual({ services: 2, of: 3, share: expect.closeTo(0.967, 2) });
    // p5.48xlarge has eight H100s; the fixture charges $3.90 for each, and $6.20 per million tokens.
    expect(summary.unit_costs.per_gpu_hour).toBeCloseTo(3.9, 2);
    expect(summary.unit_costs.per_million_tokens).toBeCloseTo(6.2, 2);
    // One day in three of the GPUs has no tag.
    expect(summary.untagged_share).toBeCloseTo(0.19, 1);
    // Half of April against all of May: compared by the day.
    expect(summary.months.map(({ month }) => month)).toEqual(["2026-04", "2026-05"]);
    expect(summary.months[1]?.change).toBeCloseTo(0.05, 1);
  });

  test("[G16] its answer shows where the money goes, the odd day, and what was left out", async () => {
    const { text, tools } = await about("focus-1.0.csv", "Where can we save? Our budget is $20k a month");
    expect(text).toContain("136 rows used; rejected: 1 × wrong number of columns");
    expect(text).toContain("Left out, because nothing is converted: €180 in");
    expect(text).toContain("2026-05-17 claude-sonnet-4-6 $1,279 against a usual");
    expect(text).toContain("$20,000 a month is passed already");
    expect(text).toContain("**Monday morning**\n1. Find what cost $838 more than usual");
    const names = tools.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["detect_anomalies", "forecast_spend", "gpu_rightsizing"]));
    // Three percent of the bill get no levers.
    expect(names).not.toContain("data_pipeline_audit");
  });
});

describe("usage of language models", () => {
  test("[G16] OpenAI's usage is priced by its tokens: cached ones cheaper, batches at half price", async () => {
    const usage = await parse(fixture("openai-usage.json"));
    expect(usage.accepted).toBe(56);
    expect(rejectedOf(usage)).toEqual({ "no cost, no list price": 1 });
    const cost = (model: string) =>
      usage.rows.filter((row) => row.model === model).reduce((sum, row) => sum + row.cost, 0);
    // Per day 60M input, 6M of them cached, 9M output: 54 × 0.25 + 6 × 0.025 + 9 × 2.
    expect(cost("gpt-5-mini")).toBeCloseTo(14 * (54 * 0.25 + 6 * 0.025 + 9 * 2), 1);
    expect(cost("text-embedding-3-large")).toBeCloseTo(14 * 150 * 0.13, 1);
    const first = 74 * 1.25 + 18 * 0.125 + 7.4 * 10 + (20 * 1.25 + 2 * 10) / 2;
    const growth = 0.5 * 1.25 * ((13 * 14) / 2);
    expect(cost("gpt-5")).toBeCloseTo(14 * first + growth, 0);
    expect((await summarize(usage)).cached_share).toBeCloseTo(0.074, 2);
  });

  test("[G16] OpenAI's costs name the model in the line item", async () => {
    const usage = await parse(fixture("openai-costs.json"));
    expect(usage).toMatchObject({ accepted: 20, rejected: [], days: 10 });
    expect((await summarize(usage)).by_model).toEqual([{ key: "gpt-5", cost: 3_412.5, share: 1 }]);
  });

  test("[G16] LiteLLM's logs count requests and tags; a cut line and an empty cost are refused", async () => {
    const usage = await parse(fixture("litellm-spend-logs.jsonl"));
    expect(usage.accepted).toBe(40);
    expect(rejectedOf(usage)).toEqual({ "not JSON": 1, "cost is not a number": 1 });
    const summary = await summarize(usage);
    expect(summary.by_provider.map(({ key }) => key)).toEqual(["anthropic", "openai"]);
    expect(usage.measures[0]?.requests.quantity).toBe(40);
    expect(summary.untagged_share).toBeGreaterThan(0);
  });

  test("[G16] OpenRouter's activity has its cost under `usage`", async () => {
    const usage = await parse(fixture("openrouter-activity.json"));
    expect(usage).toMatchObject({ accepted: 20, rejected: [] });
    const summary = await summarize(usage);
    expect(summary.by_provider.map(({ key }) => key)).toEqual(["Anthropic", "OpenAI"]);
    expect(usage.measures[0]?.requests.quantity).toBe(10 * (820 + 300));
  });

  test("[G16] OpenTelemetry's spans count where they are of a model, and are refused where not", async () => {
    const usage = await parse(fixture("otel-gen-ai.json"));
    expect(usage.accepted).toBe(12);
    expect(rejectedOf(usage)).toEqual({ "no cost column": 1 });
    // 1.5 × 2 + 0.5 × 0.5 + 0.15 × 8 per span
    expect(usage.currencies[0]?.cost).toBeCloseTo(12 * (1.5 * 2 + 0.5 * 0.5 + 0.15 * 8), 1);
    expect((await summarize(usage)).cached_share).toBeCloseTo(0.25, 3);
  });
});

describe("a GPU inventory", () => {
  test("[G16] is GPUs × hours × rate; lines that cannot be are refused, each for its reason", async () => {
    const usage = await parse(fixture("gpu-inventory.csv"));
    expect(rejectedOf(usage)).toEqual({
      "unknown GPU type": 1,
      "utilisation is not 0–100 %": 1,
      "no number of GPUs": 1,
    });
    expect(usage.fleet).toMatchObject([
      { type: "H100", gpus: 24, committed: 0, idle: 8, idle_cost: 8 * 730 * 3.9 },
      { type: "A100", gpus: 8, committed: 8, utilisation: 0.55 },
      { type: "L4", gpus: 1, monthly_cost: 240 * 0.8 },
    ]);
    expect(usage.fleet[0]?.utilisation).toBeCloseTo((0.62 + 0.28 + 0.04) / 3, 3);
  });

  test("[G16] its idle GPUs are Monday's first step", async () => {
    const { text, tools } = await about("gpu-inventory.csv");
    expect(text).toContain(
      "**Monday morning**\n1. Ask who needs the 8 × H100 that are used under 10 % ($22,776 a month)",
    );
    expect(
      tools.flatMap(({ name, args }) => (name === "gpu_rightsizing" ? [Object(args).gpus] : [])),
    ).toEqual([24, 8, 1]);
  });

  test("[G16] busy GPUs do not make up for idle ones of another type", async () => {
    const csv = "gpu_type,gpu_count,utilization\nH100,8,90\nT4,40,5";
    const { report } = await drive(advisor, ask("Where can we save?", { data: { csv } }));
    const [step] = report?.recommendations ?? [];
    // 36 of 40 T4s at $0.53 an hour; the H100s are busy, and nobody commits to idle T4s.
    expect(step?.title).toContain("Right-size");
    expect(Math.abs((step?.monthly_saving_high ?? 0) - 36 * 730 * 0.53)).toBeLessThan(1_000);
    expect(step?.evidence).not.toContain("H100");
    const commit = report?.recommendations.find(({ title }) => title.startsWith("Commit"))?.evidence;
    expect(commit).toContain("8 × H100: 40–60 % always on");
    expect(commit).not.toContain("T4");
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "[G13] no line of an inventory saves more than it idles (%i)",
    async (seed) => {
      const types = ["H100", "A100", "L4", "T4"];
      const lines = types.map((type, at) => ({
        type,
        gpus: 1 + ((seed * 7 + at * 5) % 40),
        used: (seed * 31 + at * 37) % 101,
      }));
      const csv = `gpu_type,gpu_count,utilization\n${lines.map((each) => `${each.type},${each.gpus},${each.used}%`).join("\n")}`;
      const { tools } = await drive(advisor, ask("Where can we save?", { data: { csv } }));
      const calls = tools.filter(({ name }) => name === "gpu_rightsizing");
      expect(calls).toHaveLength(lines.length);
      for (const { args, outcome } of calls) {
        const { spend, gpus, utilisation } = Object(args);
        const line = lines.find(
          (each) => each.gpus === gpus && each.used === Math.round(utilisation[0] * 100),
        );
        expect(line).toBeDefined();
        const { levers } = Object(Object(outcome).result);
        expect(levers[0].saving[1]).toBeLessThanOrEqual(spend * (1 - utilisation[1]) + 0.01);
      }
    },
  );

  test.each([
    ["a column", "gpu_type,gpu_count,hourly_rate,currency\nH100,8,3,EUR", "EUR"],
    ["a symbol", "gpu_type,gpu_count,hourly_rate\nH100,8,€3", "EUR"],
    ["the name of the column", "gpu_type,gpu_count,price_per_hour\nH100,8,£3", "GBP"],
    ["nothing", "gpu_type,gpu_count,hourly_rate\nH100,8,3", "USD"],
    ["planning rates", "gpu_type,gpu_count,currency\nH100,8,EUR", "USD"],
  ])("[G16] its currency is told by %s", async (_, csv, currency) => {
    const usage = await parse(csv);
    expect(usage.currencies.map((each) => each.currency)).toEqual([currency]);
    const { text } = await drive(advisor, ask("Where can we save?", { data: { csv } }));
    expect(text).toContain({ EUR: "€17,520", GBP: "£17,520" }[currency] ?? "$");
  });

  test("[G16] GPUs in another currency are not added to the fleet", async () => {
    const usage = await parse(
      "gpu_type,gpu_count,hourly_rate,currency\nH100,8,3,EUR\nA100,8,2,EUR\nL4,1,1,USD",
    );
    expect(usage.fleet.map(({ type }) => type)).toEqual(["H100", "A100"]);
  });

  test("[G16] nvidia-smi's list is one", async () => {
    const usage = await parse(fixture("nvidia-smi.csv"));
    expect(usage).toMatchObject({ accepted: 8, rejected: [], priced_rows: 8 });
    expect(usage.fleet).toMatchObject([{ type: "A100", gpus: 8, idle: 3 }]);
  });

  test.each([
    ["p5.48xlarge", "H100", 8],
    ["p5en.48xlarge", "H200", 8],
    ["g5.12xlarge", "A10G", 4],
    ["g6.xlarge", "L4", 1],
    ["a2-highgpu-4g", "A100", 4],
    ["Standard_ND96isr_H100_v5", "H100", 8],
    ["Tesla T4", "T4", 1],
  ])("[G16] %s is %s × %i", async (machine, type, gpus) => {
    const { fleet } = await parse(`instance_type,hourly_rate\n${machine},1`);
    expect(fleet).toMatchObject([{ type, gpus }]);
  });
});

describe("every export", () => {
  test.each(Object.keys(FILES).map((path) => path.split("/").at(-1) ?? ""))(
    "[G16] %s: what is used and what is refused are all there is, and the answer says so",
    async (name) => {
      const usage = await parse(fixture(name));
      const { text, report, durableEffects } = await about(name);
      expect(text).toContain(`${usage.accepted} rows used; `);
      for (const { reason, count } of usage.rejected) expect(text).toContain(`${count} × ${reason}`);
      expect(report?.findings.map(({ title }) => title)).toContain("Data quality");
      // Cents are not worth a step.
      if (!name.startsWith("litellm")) expect(report?.recommendations.length).toBeGreaterThanOrEqual(2);
      expect(durableEffects).toBeLessThanOrEqual(20);
    },
  );
});

describe("prices of one's own", () => {
  const LITELLM = {
    sample_spec: { input_cost_per_token: 1, output_cost_per_token: 1 },
    "openai/gpt-4o": {
      input_cost_per_token: 1e-6,
      output_cost_per_token: 4e-6,
      cache_read_input_token_cost: 5e-7,
      litellm_provider: "openai",
      mode: "chat",
      max_input_tokens: 128_000,
    },
    "acme-large": { input_cost_per_token: 2e-6, output_cost_per_token: 9e-6, mode: "chat" },
    broken: { input_cost_per_token: "free", output_cost_per_token: Number.NaN },
  };
  const QUESTION = "100M input and 20M output tokens per month on gpt-4o, reduce the cost";

  test("[G18] LiteLLM's rows replace the bundled ones, unknown fields and broken rows ignored", async () => {
    const { text, tools } = await drive(
      advisor,
      ask(QUESTION, { data: { prices: LITELLM, prices_as_of: "2026-10-01" } }),
    );
    expect(text).toContain("$180 a month"); // 100 × 1 + 20 × 4
    expect(text).toContain("list prices of 2026-10-01");
    expect(tools[0]?.outcome).toMatchObject({ result: { as_of: "2026-10-01" } });
  });

  test("[G18] an operator's table makes new names known, and is another version", async () => {
    const own = advisorWith({
      prices: LITELLM,
      prices_as_of: "2026-10-01",
      gpu_rates: { H100: { on_demand: 2 } },
    });
    expect(own.version).not.toBe(advisor.version);
    const { text } = await drive(
      own,
      ask("100M input and 20M output tokens per month on acme-large, reduce the cost"),
    );
    expect(text).toContain("$380 a month"); // 100 × 2 + 20 × 9
    expect((await drive(own, ask("Our 10 H100s run at 30%, cut GPU costs"))).text).toContain(
      "$14,600 a month",
    );
  });

  test.each([
    [undefined],
    [null],
    [42],
    ["x"],
    [[]],
    [{ "gpt-4o": 5 }],
    [{ "gpt-4o": { input_cost_per_token: -1 } }],
  ])("[G18] what are no prices change nothing: %j", async (prices) => {
    expect((await drive(advisor, ask(QUESTION, { data: { prices } }))).text).toContain("$450 a month");
  });
});
