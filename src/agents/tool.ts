/** What a tool is, and what comes of calling one. */
import type { AgentInput } from "./agent.ts";
import type { Schema } from "./schema.ts";

export interface ToolContext {
  /** What its run was asked, the same on every attempt. */
  readonly input: AgentInput;
  /** Aborted when the run is cancelled, times out, or the tool does. */
  readonly signal: AbortSignal;
  /** Shows how far it is (`tool_progress`) to whoever is there, the newest note four times a second at most; nothing of it is kept. */
  readonly progress: (note: string) => void;
}

export interface Tool<Args, Result> {
  readonly name: string;
  readonly description: string;
  readonly input: Schema<Args>;
  readonly output: Schema<Result>;
  /** True if running it twice does no harm: a call cut by a crash is then simply repeated. */
  readonly idempotent: boolean;
  /** Overrides the limit for all tools, milliseconds. */
  readonly timeout_ms?: number;
  /** Whether a person has to agree before it runs; a function decides by the arguments, and must not depend on anything else. */
  readonly approval?: Approval<Args>;
  /** How long that person has, milliseconds; a day if not given. */
  readonly expires_ms?: number;
  execute(args: Args, context: ToolContext): Result | Promise<Result>;
}

/** A tool that a client of the user executes, in a page or an app: the run waits for what it brings. */
export interface ClientTool<Args, Result>
  extends Pick<Tool<Args, Result>, "name" | "description" | "input" | "output"> {
  /** How long the client has, milliseconds. */
  readonly expires_ms?: number;
}

export type Approval<Args> = "never" | "always" | Asks<Args>["asks"];

interface Asks<Args> {
  asks(args: Args): boolean;
}

/** A tool call whose types are erased; `execute` validates the arguments itself. */
export interface ToolCall {
  readonly tool_name: string;
  readonly args: unknown;
  readonly idempotent: boolean;
  readonly timeout_ms?: number;
  /** What has to happen elsewhere before it can be completed. */
  readonly waits_for?: "approval" | "client_tool";
  readonly expires_ms?: number;
  execute(args: unknown, context: ToolContext): Promise<unknown>;
}

export type ToolOutcome<T = unknown> =
  | { readonly status: "ok"; readonly result: T }
  | { readonly status: "error"; readonly error: { readonly code: string; readonly message: string } };

/**
 * Thrown into the agent where a tool it relies on has failed; uncaught, it ends
 * the run as `failed`. Thrown by a tool, it is its outcome: code and message are
 * shown to people and models.
 */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
  readonly tool_name: string;
  readonly code: string;

  constructor(tool_name: string, code: string, message: string) {
    super(message);
    this.tool_name = tool_name;
    this.code = code;
  }
}
