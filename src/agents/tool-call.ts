/** Calls of tools as effects carry them: their types erased, whatever the host must know said. */
import { validate } from "./schema.ts";
import { type ClientTool, type Tool, type ToolCall, ToolFailure } from "./tool.ts";

/** The host validates the arguments when it executes; until then nobody has. */
export function toolCall<Args, Result>(definition: Tool<Args, Result>, args: Args): ToolCall {
  const { name, idempotent, timeout_ms, expires_ms } = definition;
  return {
    tool_name: name,
    args,
    idempotent,
    ...(timeout_ms === undefined ? {} : { timeout_ms }),
    ...(asks(definition, args) ? { waits_for: "approval" as const } : {}),
    ...(expires_ms === undefined ? {} : { expires_ms }),
    async execute(given, context) {
      return definition.execute(validate(definition.input, given, `arguments of ${name}`), context);
    },
  };
}

/** By what the tool will be given, defaults of its schema included; what it will not take, it is not asked for. */
function asks<Args, Result>({ name, input, approval = "never" }: Tool<Args, Result>, args: Args): boolean {
  if (typeof approval === "string") return approval === "always";
  let given: Args;
  try {
    given = validate(input, args, `arguments of ${name}`);
  } catch {
    return false;
  }
  return approval(given);
}

export function clientToolCall<Args, Result>(
  { name, input, expires_ms }: ClientTool<Args, Result>,
  args: unknown,
): ToolCall {
  return {
    tool_name: name,
    args: validate(input, args, `arguments of ${name}`),
    idempotent: true,
    waits_for: "client_tool",
    ...(expires_ms === undefined ? {} : { expires_ms }),
    execute: () => Promise.reject(new Error("a client executes it")),
  };
}

/** One that cannot be made: it is told like any other, and nothing is executed. */
export function failingCall(tool_name: string, args: unknown, code: string, message: string): ToolCall {
  const failure = new ToolFailure(tool_name, code, message);
  return { tool_name, args, idempotent: true, execute: () => Promise.reject(failure) };
}
