/**
 * The tools that a model is offered: what it is told of them, and what becomes of
 * a call it asks for. Whatever it asks for is a call: what cannot be made fails
 * like any other, so that people see it and the model can put it right.
 */
import { MAX_TOOL_RESULT_BYTES } from "../protocol/limits.ts";
import { beginning, fitsBytes } from "../protocol/primitives.ts";
import { parseJson } from "../protocol/pure/json.ts";
import type { RequestedCall, ToolSpec } from "./models/model.ts";
import { type JsonSchema, SchemaError, validate } from "./schema.ts";
import type { ClientTool, Tool, ToolCall, ToolOutcome } from "./tool.ts";
import { clientToolCall, failingCall, toolCall } from "./tool-call.ts";

/** A tool of the server, or one that a client of the user executes. */
export type OfferedTool = (Tool<unknown, unknown> | ClientTool<unknown, unknown>) & {
  /** JSON Schema of its arguments; needed where `input` cannot say it itself, as those of zod/mini cannot: `z.toJSONSchema(input)`. */
  readonly parameters?: JsonSchema;
};

/** What providers take as the name of a tool. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** Arguments that are refused are told as they were written, as far as that helps. UTF-8 bytes. */
const MAX_REFUSED_BYTES = 1024;

export class Registry {
  readonly specs: readonly ToolSpec[];
  readonly #tools: ReadonlyMap<string, OfferedTool>;

  /** @throws TypeError naming the tool that cannot be offered */
  constructor(tools: readonly OfferedTool[]) {
    this.specs = tools.map(specOf);
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    if (this.#tools.size < tools.length) throw new TypeError("two tools have the same name");
  }

  call({ tool_name, args_text }: RequestedCall): ToolCall {
    const tool = this.#tools.get(tool_name);
    const refused = (code: string, message: string) =>
      failingCall(beginning(tool_name, 64), beginning(args_text, MAX_REFUSED_BYTES), code, message);
    if (tool === undefined) return refused("unknown_tool", `the tools are ${this.#names}`);
    if (!fitsBytes(args_text, MAX_TOOL_RESULT_BYTES)) {
      return refused("invalid_args", `arguments may have ${MAX_TOOL_RESULT_BYTES} bytes`);
    }
    const args = parseJson(args_text);
    return args === undefined ? refused("invalid_args", "the arguments are not JSON") : checked(tool, args);
  }

  /** What came of a call; a result that is not what its tool promised is none. */
  outcome({ tool_name }: RequestedCall, outcome: ToolOutcome): ToolOutcome {
    const tool = this.#tools.get(tool_name);
    if (tool === undefined || outcome.status === "error") return outcome;
    try {
      return { status: "ok", result: validate(tool.output, outcome.result, `result of ${tool_name}`) };
    } catch (cause) {
      return { status: "error", error: { code: "invalid_result", message: said(cause) } };
    }
  }

  get #names(): string {
    return this.specs.map(({ name }) => name).join(", ") || "none";
  }
}

function specOf({ name, description, input, parameters }: OfferedTool): ToolSpec {
  if (!NAME.test(name)) throw new TypeError(`a tool cannot be named ${name}`);
  const given = parameters ?? input["~standard"].jsonSchema?.input({ target: "draft-2020-12" });
  if (given === undefined) throw new TypeError(`the tool ${name} has no parameters`);
  return { name, description, parameters: given };
}

/** An approval is asked for, and a client bothered, only for arguments that are right. */
function checked(tool: OfferedTool, args: unknown): ToolCall {
  try {
    validate(tool.input, args, `arguments of ${tool.name}`);
    return "execute" in tool ? toolCall(tool, args) : clientToolCall(tool, args);
  } catch (cause) {
    return failingCall(tool.name, args, "invalid_args", said(cause));
  }
}

/** What a schema says may be told; what a tool's own code throws can hold anything. */
function said(cause: unknown): string {
  return cause instanceof SchemaError ? cause.message : "the value could not be checked";
}
