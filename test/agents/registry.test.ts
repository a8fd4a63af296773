import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { advisorTools } from "../../src/agents/advisor/offer.ts";
import { detectAnomalies } from "../../src/agents/advisor/tools/detect-anomalies.ts";
import { forecastSpend } from "../../src/agents/advisor/tools/forecast-spend.ts";
import { parseUsage } from "../../src/agents/advisor/tools/parse-usage.ts";
import { summarizeSpend } from "../../src/agents/advisor/tools/summarize-spend.ts";
import { jsonSchema } from "../../src/agents/json-schema.ts";
import { type OfferedTool, Registry } from "../../src/agents/registry.ts";
import { REPORT_TOOL } from "../../src/agents/report-tool.ts";
import type { Tool, ToolCall } from "../../src/agents/tool.ts";
import { report } from "../../src/protocol/report.ts";
import { ask, toolContext } from "../support/drive-agent.ts";

const CONTEXT = toolContext();
const N = { type: "object", properties: { n: { type: "number", maximum: 9 } }, required: ["n"] };

const lookup: Tool<{ n: number }, unknown> = {
  name: "lookup",
  description: "looks something up",
  input: jsonSchema<{ n: number }>(N),
  output: z.object({ found: z.number() }),
  idempotent: true,
  execute: ({ n }) => ({ found: n }),
};

function callOf(tool: OfferedTool, args_text: string, tool_name = tool.name): ToolCall {
  return new Registry([tool]).call({ tool_call_id: "c", tool_name, args_text });
}

async function refusalOf(call: ToolCall): Promise<any> {
  return await call.execute(call.args, CONTEXT).catch((cause: unknown) => cause);
}

describe("the tools that a model is offered", () => {
  test("[O19] a tool is told with its JSON Schema: given, its schema's own, or that of zod", () => {
    const zod = z.object({ n: z.number() });
    const given = { ...lookup, name: "given", input: zod, parameters: z.toJSONSchema(zod) };
    const [own, other] = new Registry([lookup, given]).specs;
    expect(own).toEqual({ name: "lookup", description: "looks something up", parameters: N });
    expect(other?.parameters).toMatchObject({ type: "object", required: ["n"] });
  });

  test.each([
    ["no schema", [{ ...lookup, input: z.object({}) }], "the tool lookup has no parameters"],
    ["two of a name", [lookup, lookup], "two tools have the same name"],
    ["a name nobody takes", [{ ...lookup, name: "look up" }], "a tool cannot be named look up"],
  ])("[O19] %s is known when the agent is made", (_, tools, message) => {
    expect(() => new Registry(tools)).toThrow(new TypeError(message));
  });

  test("[O19] a call is executed with its arguments, and carries what the host must know of its tool", async () => {
    const call = callOf({ ...lookup, timeout_ms: 5, approval: ({ n }: any) => n > 1 }, `{"n":2}`);
    expect(call).toMatchObject({ args: { n: 2 }, idempotent: true, timeout_ms: 5, waits_for: "approval" });
    expect(await call.execute(call.args, CONTEXT)).toEqual({ found: 2 });
  });

  test("[O19] whether a person has to agree is decided by what the tool will be given", () => {
    const input = z.object({ n: z._default(z.number(), 1_000) });
    const approval = ({ n }: { n: number }) => n > 100;
    const tool = { ...lookup, input, approval, parameters: {} };
    expect(callOf(tool, "{}").waits_for).toBe("approval");
    expect(callOf(tool, `{"n":1}`).waits_for).toBeUndefined();
  });

  test("[O19] a client's tool waits for a client, and only with arguments that are right", () => {
    const { name, description, input, output } = lookup;
    const theirs = { name, description, input, output, expires_ms: 7 };
    expect(callOf(theirs, `{"n":1}`)).toMatchObject({ waits_for: "client_tool", expires_ms: 7 });
    expect(callOf(theirs, `{"n":"x"}`).waits_for).toBeUndefined();
  });

  test.each([
    ["another name", "nothing", "{}", "unknown_tool", "the tools are lookup"],
    ["no JSON", "lookup", `{"n":`, "invalid_args", "the arguments are not JSON"],
    ["a missing field", "lookup", "{}", "invalid_args", /required property "n"/],
    ["a wrong type", "lookup", `{"n":"secret"}`, "invalid_args", /^arguments of lookup: n: /],
    ["too large a number", "lookup", `{"n":77}`, "invalid_args", /n: does not keep to its maximum$/],
    ["too much", "lookup", `{"n":1,"x":"${"x".repeat(65_536)}"}`, "invalid_args", /65536 bytes/],
  ])("[O18] %s is a call that fails, and says why", async (_, name, args_text, code, message) => {
    const call = callOf({ ...lookup, approval: "always" }, args_text, name);
    expect(call.waits_for).toBeUndefined();
    const refusal = await refusalOf(call);
    expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(refusal.message).not.toContain("secret");
  });

  test("[O18] what a model wrote instead of arguments is shown, but not all of it", () => {
    const { args, tool_name } = callOf(lookup, "x".repeat(100_000), "n".repeat(1_000));
    expect(args).toBe("x".repeat(1_024));
    expect(tool_name).toBe("n".repeat(64));
  });

  test("[O18] a result that is not what the tool promised is an error for the model", () => {
    const registry = new Registry([lookup]);
    const call = { tool_call_id: "c", tool_name: "lookup", args_text: "{}" };
    expect(registry.outcome(call, { status: "ok", result: { found: "x" } })).toMatchObject({
      status: "error",
      error: { code: "invalid_result" },
    });
    expect(registry.outcome(call, { status: "ok", result: { found: 1 } })).toMatchObject({ status: "ok" });
  });
});

describe("a JSON Schema as a schema", () => {
  test("[O19] one that names what is not in it is refused at once, and it is not written into", () => {
    expect(() => jsonSchema({ $ref: "https://elsewhere.example/schema" })).toThrow(TypeError);
    const frozen = Object.freeze({
      $ref: "#/$defs/a",
      $defs: Object.freeze({ a: Object.freeze({ type: "null" }) }),
    });
    expect(jsonSchema(frozen)["~standard"].validate(null)).toEqual({ value: null });
  });

  test("[O19] the innermost field that is wrong is named", () => {
    const schema = jsonSchema({ properties: { "a/b": { items: { required: ["c"] } } } });
    expect(schema["~standard"].validate({ "a/b": [{}] })).toMatchObject({ issues: [{ path: ["a/b", "0"] }] });
  });
});

function without(value: any, name: string): any {
  if (Array.isArray(value)) return value.map((item) => without(item, name));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== name);
  return Object.fromEntries(kept.map(([key, item]) => [key, without(item, name)]));
}

const READS_ATTACHED = [parseUsage, summarizeSpend, detectAnomalies, forecastSpend];

const CSV = [
  "date,service,cost,currency",
  ...Array.from(
    { length: 20 },
    (_, day) => `2026-06-${String(day + 1).padStart(2, "0")},api,${day === 9 ? 900 : 100},USD`,
  ),
].join("\n");

/** What a tool that is offered makes of a question. */
async function made(name: string, args: object, asked: Parameters<typeof ask>): Promise<any> {
  const call = new Registry(advisorTools).call({
    tool_call_id: "c",
    tool_name: name,
    args_text: JSON.stringify(args),
  });
  return await call.execute(call.args, toolContext(ask(...asked)));
}

describe("data that a user sent along", () => {
  const pasted = { history: [{ role: "user", content: `here:\n${CSV}` }] } as const;

  test.each<[string, Parameters<typeof ask>]>([
    ["attached", ["?", { data: { text: CSV } }]],
    ["pasted", [`what of this?\n${CSV}`]],
    ["pasted earlier", ["and now?", pasted]],
  ])("[O25] %s is read by the tools themselves", async (_, asked) => {
    expect(await made("parse_usage", { attached: true }, asked)).toMatchObject({ accepted: 20, days: 20 });
    const summary = await made("summarize_spend", { attached: true }, asked);
    expect(summary).toMatchObject({ total: 2_800, currency: "USD" });
    const { anomalies } = await made("detect_anomalies", { attached: true }, asked);
    expect(anomalies).toMatchObject([{ day: "2026-06-10", cost: 900 }]);
    const forecast = await made("forecast_spend", { attached: true, months: 2, budget: 1_000 }, asked);
    expect(forecast).toMatchObject({ points: 20, months: [{ month: "2026-07" }, { month: "2026-08" }] });
  });

  test.each([
    ["no data", "parse_usage", { attached: true }, "no usage data"],
    ["no days", "forecast_spend", { attached: true, months: 2 }, "no usage data"],
  ])("[O25] where there is %s the model is told so", async (_, name, args, message) => {
    await expect(made(name, args, ["hello"])).rejects.toThrow(message);
  });

  test("[O25] without it the arguments are what they were, and a series that is missing is named", async () => {
    await expect(made("forecast_spend", { months: 2 }, ["?", { data: { text: CSV } }])).rejects.toThrow(
      /series/,
    );
    const monthly = "month,cost\n2026-05,10\n2026-06,12";
    await expect(
      made("forecast_spend", { attached: true, months: 2 }, ["?", { data: { text: monthly } }]),
    ).rejects.toThrow(/series/);
  });
});

describe("the advisor's tools for a model", () => {
  test("[O24] a report is asked for in the very form that is published", () => {
    const { $schema: _, ...taken } = z.toJSONSchema(report, { io: "input" }) as any;
    expect(REPORT_TOOL.parameters).toMatchObject(without(taken, "additionalProperties"));
  });

  test.each(advisorTools.map((tool) => [tool.name, tool] as const))(
    "[O19] %s is told with the arguments that it takes",
    (_, tool) => {
      const { input } = READS_ATTACHED.find(({ name }) => name === tool.name) ?? tool;
      const taken = z.toJSONSchema(input as never, { unrepresentable: "any", io: "input" }) as any;
      const told = new Registry([tool]).specs[0]!.parameters as any;
      const { attached, ...properties } = told.properties;
      // What is not told is for the advisor itself, and may be left out.
      expect(Object.keys(taken.properties)).toEqual(expect.arrayContaining(Object.keys(properties)));
      const needed = [...(taken.required ?? [])].toSorted();
      if (attached === undefined) expect([...told.required].toSorted()).toEqual(needed);
      else expect(needed).toEqual(expect.arrayContaining(told.required));
      for (const [name, { items }] of Object.entries<any>(taken.properties)) {
        if (items?.properties === undefined || properties[name] === undefined) continue;
        const inner = Object.keys(properties[name].items.properties);
        expect(Object.keys(items.properties)).toEqual(expect.arrayContaining(inner));
        expect(inner).toEqual(expect.arrayContaining(items.required ?? []));
      }
    },
  );
});
