/** Usage data: what is accepted, what is rejected, and what follows from it. */
import { describe, expect, test, vi } from "vitest";
import { advisor } from "../../../src/agents/advisor/advisor.ts";
import { parseUsage, type Usage, type UsageRow } from "../../../src/agents/advisor/tools/parse-usage.ts";
import { summarizeSpend } from "../../../src/agents/advisor/tools/summarize-spend.ts";
import { findUsage } from "../../../src/agents/advisor/usage/find.ts";
import { numberOf } from "../../../src/agents/advisor/usage/row.ts";
import { ask, drive, toolContext } from "../../support/drive-agent.ts";

const context = toolContext();

async function parse(text: string): Promise<Usage> {
  return parseUsage.execute({ text }, context);
}

const total = ({ currencies }: Usage, currency = "USD") =>
  currencies.find((each) => each.currency === currency)?.cost;

const FOCUS = `BilledCost,EffectiveCost,BillingCurrency,ServiceName,ProviderName,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,SkuId
12.50,10,USD,Amazon Bedrock,AWS,2026-05-01T00:00:00Z,1000,Tokens,anthropic.claude-sonnet-4-6
7.50,7,USD,Amazon S3,AWS,2026-05-02T00:00:00Z,3,GB-Mo,S3-STD`;

describe("parse_usage", () => {
  test("[G11] reads a FOCUS export", async () => {
    const usage = await parse(FOCUS);
    expect(usage).toMatchObject({ accepted: 2, rejected: [], days: 2 });
    expect(total(usage)).toBe(20);
    expect(usage.rows[0]).toEqual({
      period: "2026-05",
      provider: "AWS",
      service: "Amazon Bedrock",
      category: "llm_api",
      model: "claude-sonnet-4-6",
      quantity: 1000,
      unit: "Tokens",
      cost: 12.5,
      currency: "USD",
    });
    expect(usage.rows[1]).toMatchObject({ category: "data" });
  });

  test("[G11] reads pages of the OpenAI costs API", async () => {
    const page = {
      object: "page",
      data: [
        {
          start_time: 1777593600,
          results: [{ amount: { value: 3.5, currency: "usd" }, line_item: "gpt-5, input" }],
        },
        {
          start_time: 1777680000,
          results: [{ amount: { value: 1.5, currency: "usd" }, line_item: "gpt-5, input" }],
        },
      ],
    };
    const usage = await parse(JSON.stringify(page));
    expect(total(usage)).toBe(5);
    expect(usage.rows).toMatchObject([{ period: "2026-05", category: "llm_api" }]);
  });

  test("[G11] reads LiteLLM spend logs as JSONL, and prices tokens where there is no cost", async () => {
    const logs = await parse(
      '{"model":"openai/gpt-5-2025-08-07","spend":1.25,"startTime":"2026-05-01"}\n{"model":"gpt-5","spend":0.75,"startTime":"2026-05-01"}\nnot json',
    );
    expect(logs).toMatchObject({ accepted: 2, rejected: [{ reason: "not JSON", count: 1 }] });
    expect(logs.rows).toMatchObject([{ model: "gpt-5", cost: 2 }]);
    const tokens = await parse(
      "date,model,input_tokens,output_tokens\n2026-05-01,gpt-5,1000000,100000\n2026-05-01,unknown-1,5,5",
    );
    expect(tokens).toMatchObject({ priced_rows: 1, input_tokens: 1e6, output_tokens: 1e5 });
    expect(tokens.rows[0]?.cost).toBe(2.25);
    expect(tokens.rejected).toEqual([{ reason: "no cost, no list price", count: 1 }]);
  });

  test("[G11] follows RFC 4180: quotes, delimiters, line breaks and doubled quotes in cells", async () => {
    const usage = await parse('Service,Cost\r\n"GPU ""p5"", big\nbox","1,234.50"\r\nplain,1\r\n');
    expect(usage.rows.map(({ service, cost }) => [service, cost])).toEqual([
      ['GPU "p5", big\nbox', 1234.5],
      ["plain", 1],
    ]);
  });

  test.each([
    ["tabs", "service\tcost\nS3\t5"],
    ["semicolons", "service;cost\nS3;5"],
    ["bars", "service|cost\nS3|5"],
    ["a byte order mark", "\uFEFFservice,cost\nS3,5"],
    ["blank lines", "service,cost\n\nS3,5\n\n"],
    ["one JSON object", '{"service":"S3","cost":5}'],
    ["a wrapped list", '{"rows":[{"service":"S3","cost":"5"}]}'],
  ])("[G11] reads %s", async (_, text) => {
    const usage = await parse(text);
    expect(usage).toMatchObject({ accepted: 1, rejected: [] });
    expect(usage.rows).toMatchObject([{ service: "S3", cost: 5 }]);
  });

  test("[G11] counts what it rejects, by reason", async () => {
    const usage = await parse(
      "date,service,cost\n2026-05,a,5\n2026-05,b,abc\n2026-05,c,\n2026-05,d,-3\n2026-05,e\n2026-05,f,1,2\n2026-05,g,NaN\n2026-05,h,9e99",
    );
    expect(usage.accepted).toBe(1);
    expect(Object.fromEntries(usage.rejected.map(({ reason, count }) => [reason, count]))).toEqual({
      "wrong number of columns": 2,
      "cost is not a number": 4,
      "negative cost": 1,
    });
  });

  test.each([
    ["nothing", ""],
    ["prose", "hello world"],
    ["a header alone", "date,cost"],
    ["cut JSON", '[{"cost": 5}, {"co'],
    ["columns without a cost", "a,b\n1,2"],
    ["an empty list", "[]"],
    ["nested nonsense", '[[[{"a":[1,2,{"b":null}]}]]]'],
    ["a quote that never closes", 'service,cost\n"abc,5'],
    ["delimiters alone", ",,,\n,,,"],
  ])("[G11] accepts no row of %s", async (_, text) => {
    expect(await parse(text)).toMatchObject({ accepted: 0, rows: [], currencies: [] });
  });

  test("[G11] keeps currencies apart", async () => {
    const usage = await parse(
      "date,service,cost,currency\n2026-05,a,5,USD\n2026-05,b,7,EUR\n2026-05,c,1,USD",
    );
    expect(usage.currencies).toEqual([
      { currency: "USD", rows: 2, cost: 6 },
      { currency: "EUR", rows: 1, cost: 7 },
    ]);
    expect((await parse("service,cost\na,€5\nb,7")).currencies.map(({ currency }) => currency)).toEqual([
      "EUR",
      "",
    ]);
    expect((await parse("service,cost_usd\na,5")).currencies[0]?.currency).toBe("USD");
  });

  test("[G11] days are those of the main currency, and of rows that are used", async () => {
    const rows = ["2026-05-01,a,5,USD", "2026-05-02,a,5,USD", "2026-05-03,a,5,USD", "2026-05-30,a,5,EUR"];
    const csv = `date,service,cost,currency\n${rows.join("\n")}\n2026-05-31,a,-5,USD`;
    expect(await parse(csv)).toMatchObject({ days: 3, gaps: 0 });
    const { text, report } = await drive(advisor, ask("Where can we save?", { data: { csv } }));
    expect(text).toContain("**$15 in 3 days**, extrapolated $152 a month: 4 rows used");
    expect(report?.assumptions.map((each) => each.text)).toContain(
      "3 days of data are scaled to a month of 30.4 days",
    );
  });

  test.each([
    ["Monat;Dienst;Anbieter;Kosten (EUR)\n05.2026;API;OpenAI;12.500,50\nSumme;;;12.500,50", "EUR", 12_500.5],
    ["mois,service,fournisseur,coût\n2026-05,API,OpenAI,1200\nTotal,,,1200", "", 1_200],
    ["Month,Model,Cost\n05/2026,foo-chat,100\nGrand total,,100", "", 100],
  ])(
    "[G11] headers of other languages are known, and no total counts twice: %j",
    async (csv, currency, cost) => {
      const usage = await parse(csv);
      expect(usage).toMatchObject({ accepted: 1, rejected: [{ reason: "a total, not usage", count: 1 }] });
      expect(usage.currencies).toEqual([{ currency, rows: 1, cost }]);
      expect(usage.rows[0]).toMatchObject({ period: "2026-05", category: "llm_api" });
    },
  );

  test.each([
    ["service,cost\nTotality,5", 1],
    ["service,cost\nGesamtkosten,5", 0],
    ["date,service,cost\n05/06/2026,a,5", 1],
  ])("[G11] only a total is one: %j", async (csv, accepted) => {
    expect((await parse(csv)).accepted).toBe(accepted);
  });

  test("[G11] data with models or tokens is never taken for GPUs", async () => {
    for (const csv of ["model,cost\nfoo-chat,100\nbar-chat,50", "date,tokens,cost\n2026-05-01,1000000,100"]) {
      const { report } = await drive(advisor, ask("Where can we save?", { data: { csv } }));
      expect(report?.findings.find(({ title }) => title === "Largest cost")?.detail, csv).toContain(
        "LLM API calls",
      );
      expect(report?.assumptions.map(({ text }) => text).join(), csv).not.toContain("GPU compute");
    }
    // A stock-keeping unit is no model.
    expect((await parse("sku,cost\nxyz,100")).rows[0]?.category).toBe("other");
  });

  test("[G11] rows that cannot be dated among rows that can are rejected", async () => {
    const csv = "date,service,cost\n2026-05-01,a,5\n2026-05-02,a,5\nnotadate,a,90\n,Total,100";
    expect(await parse(csv)).toMatchObject({
      accepted: 2,
      rejected: [
        { reason: "no date that can be read", count: 1 },
        { reason: "a total, not usage", count: 1 },
      ],
      currencies: [{ cost: 10 }],
    });
    // Where no row has a date that is known, they are of one period.
    expect(await parse("date,service,cost\n5/1/26,a,5\n5/2/26,a,5")).toMatchObject({ accepted: 2, days: 0 });
    expect((await parse("service,cost\na,5")).rejected).toEqual([]);
  });

  test("[G11] bounds the rows, while totals cover all", async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `2026-05-01,service ${index},${index + 1}`);
    const usage = await parse(`date,service,cost_usd\n${lines.join("\n")}`);
    expect(usage.rows.length).toBeLessThanOrEqual(50);
    expect(usage.rows.reduce((sum, { cost }) => sum + cost, 0)).toBe(125_250);
    expect(total(usage)).toBe(125_250);
    expect(JSON.stringify(usage).length).toBeLessThan(8_192);
  });

  test.each<[string, number | undefined]>([
    ["12", 12],
    ["1,234.50", 1234.5],
    ["1.234,50", 1234.5],
    ["$12.30", 12.3],
    ["12 EUR", 12],
    ["USD 12", 12],
    ["-4", -4],
    ["(4)", -4],
    ["-$4", -4],
    ["1.5e-3", 0.0015],
    ["0.00", 0],
    [".5", 0.5],
    ["", undefined],
    ["abc", undefined],
    ["12 apples", undefined],
    ["1-2", undefined],
  ])("[G11] reads %j as the number %s", (text, value) => {
    expect(numberOf(text)).toBe(value);
  });
});

describe("summarize_spend", () => {
  const row = (period: string, category: string, cost: number, more: Partial<UsageRow> = {}): UsageRow => ({
    period,
    provider: "",
    service: "",
    category,
    model: "",
    quantity: 0,
    unit: "",
    cost,
    currency: "USD",
    ...more,
  });
  const summarize = async (rows: UsageRow[], days = 0) =>
    summarizeSpend.execute({ rows, currency: "USD", days }, context);

  test("[G10] totals by dimension, with shares, largest first", async () => {
    const result = await summarize([row("2026-05", "gpu", 25), row("2026-05", "llm_api", 75)]);
    expect(result.by_category).toEqual([
      { key: "llm_api", cost: 75, share: 0.75 },
      { key: "gpu", cost: 25, share: 0.25 },
    ]);
  });

  test("[G10] averages months", async () => {
    const result = await summarize([row("2026-06", "gpu", 150), row("2026-05", "gpu", 100)]);
    expect(result).toMatchObject({ total: 250, monthly: 125 });
  });

  test("[G10] scales days to a month", async () => {
    expect((await summarize([row("2026-05", "gpu", 120)], 12)).monthly).toBe(304.17); // 120 ÷ 12 × 365 ÷ 12
  });

  test("[G10] leaves other currencies, and nothing at all, out", async () => {
    expect((await summarize([row("2026-05", "gpu", 5, { currency: "EUR" })])).total).toBe(0);
    expect(await summarize([])).toMatchObject({
      total: 0,
      monthly: 0,
      by_category: [],
    });
    expect((await summarize([row("2026-05", "gpu", 0)])).by_category).toEqual([
      { key: "gpu", cost: 0, share: 0 },
    ]);
  });
});

/** To three figures, as it is said. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}

describe("answers from data", () => {
  const CSV =
    "date,service,model,cost,currency\n2026-05-01,OpenAI,gpt-5,12000,USD\n2026-05-01,AWS GPU,,8000,USD\n2026-05-01,S3,,abc,USD";

  test.each<[string, string, unknown]>([
    ["pasted", `Where can we save?\n${CSV}\nThanks`, undefined],
    ["in a fenced block", `Where can we save?\n\`\`\`csv\n${CSV}\n\`\`\``, undefined],
    ["attached as text", "Where can we save?", CSV],
    ["attached as {csv}", "Where can we save?", { csv: CSV }],
    ["attached as {text}", "Where can we save?", { text: CSV, note: 1 }],
    [
      "attached as rows",
      "Where can we save?",
      {
        rows: [
          { service: "OpenAI", cost: 12000, model: "gpt-5", currency: "USD" },
          { service: "AWS GPU", cost: 8000, currency: "USD" },
          { service: "S3", cost: "abc", currency: "USD" },
        ],
      },
    ],
  ])("[G12] measured figures take the place of assumptions: %s", async (_, question, data) => {
    const driven = await drive(advisor, ask(question, data === undefined ? {} : { data }));
    expect(driven.tools.slice(0, 2).map(({ name }) => name)).toEqual(["parse_usage", "summarize_spend"]);
    expect(driven.text).toContain(
      "Your data comes to **$20,000 a month**: 2 rows used; rejected: 1 × cost is not a number.",
    );
    expect(driven.text).not.toContain("without a breakdown");
    expect(driven.tools.find(({ name }) => name === "simulate_routing")?.args).toMatchObject({
      spend: 12_000,
    });
  });

  test("[G12] pasted JSON is found in the text", async () => {
    const question = 'Reduce this: [{"service":"OpenAI","cost":500,"currency":"USD"}] please';
    expect((await drive(advisor, ask(question))).text).toContain("$500 a month");
  });

  test("[G17] months that are listed in the text are data, and have a trend", async () => {
    const { text } = await drive(advisor, ask("Jan $10k, Feb $12k, Mar $15k. budget $20k"));
    expect(text).toContain("2026-01 $10,000, 2026-02 $12,000 (+20 %), 2026-03 $15,000 (+25 %)");
    expect(text).toContain("$20,000 a month is passed in 2026-06 at this pace");
    const winter = await drive(advisor, ask("Forecast: Nov: €10k, Dec: €12k, Jan: €15k"));
    expect(winter.text).toContain("2025-11 €10,000, 2025-12 €12,000 (+20 %), 2026-01 €15,000");
  });

  test.each(["Jan $10k and Feb $12k on AI", "In May we may spend 3k, 4k or 5k", "march 5, sept 3"])(
    "[G17] fewer than three months are no trend: %s",
    (question) => {
      expect(findUsage({ question })).toEqual({ prose: question });
    },
  );

  test("[G12] data of an earlier message still counts", async () => {
    const history = [{ role: "user" as const, content: CSV }];
    const driven = await drive(advisor, ask("And what about caching?", { history }));
    expect(driven.text).toContain("Your data comes to **$20,000 a month**");
  });

  test("[G12] a second currency is left out and named", async () => {
    const mixed = `${CSV}\n2026-05-01,Mistral,,700,EUR`;
    expect((await drive(advisor, ask("save", { data: mixed }))).text).toContain(
      "Left out, because nothing is converted: €700 in 1 row.",
    );
  });

  test.each([
    ["no usable row", "date,cost\n2026-05,abc"],
    ["costs of nothing", "date,cost\n2026-05,0"],
  ])("[G12] data with %s leaves the question to be answered without it", async (_, csv) => {
    const driven = await drive(
      advisor,
      ask("I spend $50k/month on AI infrastructure, optimize", { data: csv }),
    );
    expect(driven.text).toContain("You spend **$50,000 a month**");
  });

  test.each([[null], [42], [{}], [[]], [{ csv: 5 }], [{ foo: "bar" }], ["hello"], [[1, "a", null]]])(
    "[G12] data that is no usage is ignored: %j",
    async (data) => {
      const driven = await drive(advisor, ask("Help me optimize costs", { data }));
      expect(driven.tools[0]?.name).toBe("simulate_routing");
    },
  );

  test.each([
    "Reduce cost, please\nand date, too",
    "We use S3, EC2, GPUs\nand more, a lot",
    "cut [costs] {now}",
  ])("[G12] prose is not taken for data: %j", (question) => {
    expect(findUsage({ question })).toEqual({ prose: question });
  });

  test.each<[string, unknown, string]>([
    ["Where can we save?", { csv: "Foo,Bar\nx,12\ny,13" }, "columns: Foo, Bar)"],
    ["Where can we save?", [{ foo: 1, bar: 2 }], "columns: foo, bar)"],
    ["hello", "just words", "columns: just words)"],
    ["Where can we save?\nVendor;Euro/Mo\nOpenAI;300\nAWS;400", undefined, "columns: Vendor;Euro/Mo)"],
    ["Where can we save?", { csv: "service,cost\nTotal,100" }, "1 × a total, not usage"],
  ])("[G12] data that cannot be read is named first: %j %j", async (question, data, said) => {
    const { text } = await drive(advisor, ask(question, { data }));
    expect(text).toMatch(/^I could not use your data/);
    expect(text).toContain(said);
    expect(text).toContain("a cost per row");
  });

  test.each([
    "April 30k, May 36k, June 45k, budget 60k",
    "Our costs were 30k in April, 36k in May and 45k in June. Our budget is 60k. When do we exceed it?",
    "Spend: $30k (April), $36k (May), $45k (June); budget $60k, forecast?",
  ])("[G12] months in prose are data: %s", async (question) => {
    const { text } = await drive(advisor, ask(question));
    expect(text).toContain("2026-04 $30,000, 2026-05 $36,000 (+20 %), 2026-06 $45,000 (+25 %)");
    expect(text).toContain("$60,000 a month is passed in 2026-09");
  });

  test("[G12] an amount goes with its own month, and two months are no series", () => {
    const question = "$1k in January, $2k in February, $3k in March, $4k in April";
    expect(findUsage({ question, now: "2026-07-01" }).data).toMatchObject({
      rows: [{ date: "2026-01", cost: 1e3 }, { cost: 2e3 }, { cost: 3e3 }, { date: "2026-04", cost: 4e3 }],
    });
    expect(findUsage({ question: "$1k in January, $2k in February" }).data).toBeUndefined();
  });

  test.each([{ prices: {} }, { gpu_rates: { H100: {} }, prices_as_of: "2026-01-01" }, "", [], null])(
    "[G12] without data nothing is said of it: %j",
    async (data) => {
      expect((await drive(advisor, ask("Where can we save?", { data }))).text).not.toContain("I could not");
    },
  );

  test.each([
    ["8 reserved H100 and 8 spot H100 at 40%", [4_250, 9_330], ["8 × H100 reserved", "8 × H100 on spot"]],
    ["16 H100 in us at 30% and 16 H100 in eu at 30%", [45_600, 45_600], ["16 × H100", "16 × H100 (2)"]],
  ])("[G17] fleets of as many of the same are each counted once: %s", async (question, range, names) => {
    const { report } = await drive(advisor, ask(question));
    const step = report?.recommendations.find(({ title }) => title.startsWith("Right-size"));
    const count = step?.evidence.split(" a month for ").length ?? 0;
    expect(count - 1).toBe(names.length);
    expect([step?.monthly_saving_low, step?.monthly_saving_high].map((one) => round(one ?? 0))).toEqual(
      range,
    );
    for (const name of names) expect(step?.evidence).toContain(`a month for ${name}`);
  });

  test("[G12] 64 KiB of data are read to the end", async () => {
    const line = "2026-05-01,OpenAI,gpt-5,1.25,USD\n";
    const csv = `date,service,model,cost,currency\n${line.repeat(Math.floor(65_000 / line.length))}`;
    const driven = await drive(advisor, ask(`Where can we save?\n${csv}`));
    expect(driven.text).toContain("rows used; none rejected");
  });

  test.each([
    ["short lines", "a, b\n".repeat(12_000)],
    ["lines that look like JSON", "{a\n".repeat(15_000)],
    ["amounts", "$50k/month on AI, ".repeat(3_600)],
    ["rows", `date,model,cost\n${"2026-05-01,gpt-5,1\n".repeat(3_400)}`],
  ])("[G12] 40 messages of 64 KiB of %s before the question do not hold up the object", (_, content) => {
    const history = Array.from({ length: 40 }, () => ({ role: "user" as const, content }));
    const cuts = vi.spyOn(String.prototype, "split");
    advisor.run(ask("what about caching?", { history })).next();
    // It took 8 s when every line of every message was cut into cells, to see whether it was a header.
    const count = cuts.mock.calls.length;
    cuts.mockRestore();
    expect(count).toBeLessThan(200_000);
  });

  test("[G12] the latest data of a conversation counts", async () => {
    const history = ["500", "700"].map((cost) => ({
      role: "user" as const,
      content: `Where can we save?\nservice,cost_usd\nOpenAI,${cost}`,
    }));
    const { text } = await drive(advisor, ask("which first?", { history }));
    expect(text).toContain("Your data comes to **$700 a month**");
  });

  test.each([
    ["digits", "9".repeat(65_000)],
    ["amounts", "$50k/month ".repeat(5_900)],
    ["commas", ",".repeat(65_000)],
    ["quotes", `a,cost\n${'"'.repeat(65_000)}`],
    ["brackets", "[".repeat(65_000)],
    ["spaces", `$${" ".repeat(65_000)}1`],
    ["words", "costs ".repeat(10_000)],
    ["percents", "50% ".repeat(16_000)],
    ["GPUs", "8 x ".repeat(16_000)],
  ])("[G12] 64 KiB of %s get an answer", async (_, question) => {
    // A pattern that backtracks would run into the limit of the test.
    const driven = await drive(advisor, ask(question));
    expect(driven.report?.questions.length).toBeLessThanOrEqual(3);
  });
});
