/**
 * How a model gives the structured result of its run: as a call of a tool that
 * is none. Nothing is executed, so people see no tool; what it was given is
 * published as `final_report`.
 */
import { MAX_TOOL_RESULT_BYTES } from "../protocol/limits.ts";
import { fitsBytes } from "../protocol/primitives.ts";
import { parseJson } from "../protocol/pure/json.ts";
import { type Report, report } from "../protocol/report.ts";
import type { RequestedCall, ToolSpec } from "./models/model.ts";
import { type JsonSchema, SchemaError, validate } from "./schema.ts";
import type { ToolOutcome } from "./tool.ts";

const text = { type: "string" };
const amount = { type: "number", minimum: 0 };
const level = { type: "string", enum: ["low", "medium", "high"] };

export const REPORT_TOOL: ToolSpec = {
  name: "final_report",
  description:
    "Shows the user your result as a table, beside your answer in words. Call it once, when your figures are ready and before you answer.",
  parameters: object({
    summary: text,
    findings: list(object({ title: text, detail: text })),
    recommendations: list(
      object({
        title: text,
        action_steps: { ...list(text), minItems: 1 },
        monthly_saving_low: amount,
        monthly_saving_high: amount,
        currency: { ...text, description: "such as USD" },
        ...{ confidence: level, effort: level, risk: text },
        evidence: { ...text, description: "the figures the saving follows from" },
        assumption_ids: list(text),
      }),
    ),
    assumptions: list(object({ id: { ...text, description: "such as A1" }, text, source: text })),
    questions: { ...list(text), maxItems: 3 },
  }),
};

/** What a call would publish, or why it cannot. */
export function reportIn({ args_text }: RequestedCall): ToolOutcome<Report> {
  if (!fitsBytes(args_text, MAX_TOOL_RESULT_BYTES)) {
    return refused(`a report may have ${MAX_TOOL_RESULT_BYTES} bytes`);
  }
  const given = parseJson(args_text);
  if (given === undefined) return refused("the report is not JSON");
  try {
    return { status: "ok", result: validate(report, given, "report") };
  } catch (cause) {
    if (cause instanceof SchemaError) return refused(cause.message);
    throw cause;
  }
}

export const PUBLISHED = { status: "ok", result: { published: true } } as const satisfies ToolOutcome;

export const PUBLISHED_ALREADY = refused("the report has been published; answer in words now");

function refused(message: string): ToolOutcome<never> {
  return { status: "error", error: { code: "invalid_args", message } };
}

function object(properties: JsonSchema): JsonSchema {
  return { type: "object", properties, required: Object.keys(properties) };
}

function list(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}
