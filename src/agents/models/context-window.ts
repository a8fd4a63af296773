/**
 * What of a conversation a model is sent when not all of it fits. The system's
 * messages and the newest question always stay. Turns (a question and all that
 * follows it) are left out oldest first; then, within the newest turn, rounds
 * (an answer and the results of the tools it called), all but the last. So what
 * is sent never has a gap, and no result stands without its call.
 */
import type { ModelMessage, ToolSpec } from "./model.ts";
import { messageTokens, toolTokens } from "./tokens.ts";

export interface Window {
  /** What the model can take at once, its answer included. */
  readonly context_tokens: number;
  /** Kept free for the answer. */
  readonly max_output_tokens: number;
  readonly tools?: readonly ToolSpec[];
}

export interface Fitted {
  readonly messages: readonly ModelMessage[];
  /** How many were left out. */
  readonly dropped: number;
  /** By the rule of tokens.ts, tools included. */
  readonly input_tokens: number;
  /** False if even what must stay is too much: the call is not worth making. */
  readonly fits: boolean;
}

type Group = readonly ModelMessage[];

export function fitToWindow(messages: readonly ModelMessage[], window: Window): Fitted {
  const { context_tokens, max_output_tokens, tools = [] } = window;
  const budget = context_tokens - max_output_tokens - toolTokens(tools);
  const system = messages.filter(({ role }) => role === "system");
  const { older, question, rounds } = parts(withoutStrays(messages));
  const last = rounds.slice(-1);
  const must = [...system, ...question, ...last.flat()];
  const keptRounds = newestThatFit(rounds.slice(0, -1), budget - tokensOf(must));
  const newest = [...question, ...keptRounds.flat(), ...last.flat()];
  // An older turn is left out before anything of the newest one is.
  const whole = keptRounds.length + last.length === rounds.length;
  const keptTurns = whole ? newestThatFit(older, budget - tokensOf([...system, ...newest])) : [];
  const kept = [...system, ...keptTurns.flat(), ...newest];
  const used = tokensOf(kept);
  return {
    messages: kept,
    dropped: messages.length - kept.length,
    input_tokens: used + toolTokens(tools),
    fits: used <= budget,
  };
}

/** The longest end of the list that fits: nothing is left out from the middle. */
function newestThatFit(groups: readonly Group[], budget: number): readonly Group[] {
  let left = budget;
  let first = groups.length;
  for (; first > 0; first -= 1) {
    left -= tokensOf(groups[first - 1] ?? []);
    if (left < 0) break;
  }
  return groups.slice(first);
}

function parts(messages: readonly ModelMessage[]) {
  const turns = groupsOf(messages, ({ role }) => role === "user");
  const newest = turns.at(-1) ?? [];
  const question = newest.filter(({ role }) => role === "user");
  const rounds = groupsOf(newest.slice(question.length), ({ role }) => role === "assistant");
  return { older: turns.slice(0, -1), question, rounds };
}

/** Neither the system's messages, which stand first, nor results of calls that the answer before them did not make. */
function withoutStrays(messages: readonly ModelMessage[]): readonly ModelMessage[] {
  let called: readonly string[] = [];
  return messages.filter((message) => {
    if (message.role === "tool") return called.includes(message.tool_call_id);
    if (message.role === "system") return false;
    called = message.role === "assistant" ? (message.tool_calls ?? []).map((call) => call.tool_call_id) : [];
    return true;
  });
}

/** Each group begins with a message that `begins` one; what comes before the first is a group too. */
function groupsOf(
  messages: readonly ModelMessage[],
  begins: (message: ModelMessage) => boolean,
): readonly Group[] {
  const groups: ModelMessage[][] = [];
  for (const message of messages) {
    const open = groups.at(-1);
    if (begins(message) || open === undefined) groups.push([message]);
    else open.push(message);
  }
  return groups;
}

function tokensOf(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, message) => sum + messageTokens(message), 0);
}
