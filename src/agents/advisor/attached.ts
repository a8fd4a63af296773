/**
 * Tools that read the usage data of the question themselves. A model that had to
 * copy it into arguments would pay for every figure twice, and get some of them wrong.
 */
import { field } from "../../protocol/pure/json.ts";
import type { AgentInput } from "../agent.ts";
import { type Schema, validate } from "../schema.ts";
import { type Tool, type ToolContext, ToolFailure } from "../tool.ts";
import { parseUsage, type Usage } from "./tools/parse-usage.ts";
import { findPasted, findUsage } from "./usage/find.ts";

/**
 * The same tool, which may be given `{attached: true}` in the place of arguments
 * that follow from the data; what else it is given stays.
 */
export function orAttached<Args, Result>(
  tool: Tool<Args, Result>,
  argsOf: (usage: Usage) => object,
): Tool<unknown, Result> {
  return withAttached(tool, async (args, context) => {
    const { attached: _, ...rest } = { attached: true, ...Object(args) };
    return await tool.execute(checked(tool, { ...argsOf(await usageIn(context)), ...rest }), context);
  });
}

export const parseAttached = withAttached(parseUsage, (_, context) => usageIn(context));

function withAttached<Args, Result>(
  tool: Tool<Args, Result>,
  ofAttached: (args: unknown, context: ToolContext) => Promise<Result>,
): Tool<unknown, Result> {
  return {
    ...tool,
    input: attachedOr(tool.input),
    approval: "never",
    async execute(args, context) {
      if (isAttached(args)) return await ofAttached(args, context);
      return await tool.execute(checked(tool, args), context);
    },
  };
}

function checked<Args, Result>({ name, input }: Tool<Args, Result>, args: unknown): Args {
  return validate(input, args, `arguments of ${name}`);
}

function attachedOr<Args>(schema: Schema<Args>): Schema<unknown> {
  const { validate } = schema["~standard"];
  return {
    "~standard": {
      version: 1,
      vendor: "throughline",
      validate: (value) => (isAttached(value) ? { value } : validate(value)),
    },
  };
}

function isAttached(args: unknown): boolean {
  return field(args, "attached") === true;
}

async function usageIn(context: ToolContext): Promise<Usage> {
  const data = dataOf(context.input);
  if (data === undefined) {
    throw new ToolFailure("attached", "no_data", "there is no usage data in this conversation");
  }
  return await parseUsage.execute(data, context);
}

/** That of the question, or the last that was pasted before it. */
function dataOf({ history, ...asked }: AgentInput) {
  const found = findUsage(asked).data;
  if (found !== undefined) return found;
  for (const { role, content } of history.toReversed()) {
    const pasted = role === "user" ? findPasted(content).data : undefined;
    if (pasted !== undefined) return pasted;
  }
  return undefined;
}
