/** An effect, and what it was answered with, as a line each. */
import type { Effect } from "../../src/agents/effects.ts";
import type { Stepped } from "./stepping.ts";

/** Of what is shown of a value, unless all of it is wanted. UTF-16 code units. */
const SHOWN_CHARS = 160;

export function inWords(effect: Effect, whole = false): string {
  switch (effect.kind) {
    case "text":
      return `text ${shown(effect.delta, whole)}`;
    case "think":
      return `think ${shown(effect.thought, whole)}`;
    case "report":
      return `report ${shown(effect.report, whole)}`;
    case "state":
      return effect.patch === undefined ? "state, to read" : `state ${shown(effect.patch, whole)}`;
    case "tools":
      return effect.calls.map(({ tool_name, args }) => `${tool_name} ${shown(args, whole)}`).join("; ");
    case "model":
      return `model ${effect.model.provider}/${effect.model.model_id} ${shown(effect.request, whole)}`;
    case "steer":
      return "what was said meanwhile";
    case "wait":
      return `wait for a ${effect.for} ${effect.name ?? ""} until ${effect.expires_at}`;
  }
}

export function linesOf({ step, effect, answered }: Stepped, whole: boolean): string[] {
  const number = step === undefined ? "   " : `${step}`.padStart(3);
  const lines = [`${number} ${inWords(effect, whole)}`];
  if (answered === undefined || answered.result === undefined) return lines;
  const results = Array.isArray(answered.result) ? answered.result : [answered.result];
  return [...lines, ...results.map((result) => `    → ${shown(result, whole)}`)];
}

/** Texts that follow each other are one. */
export function joined(steps: readonly Stepped[]): Stepped[] {
  const all: Stepped[] = [];
  for (const one of steps) {
    const last = all.at(-1);
    if (one.effect.kind === "text" && last?.effect.kind === "text") {
      const effect = { ...one.effect, delta: last.effect.delta + one.effect.delta };
      all[all.length - 1] = { step: undefined, effect };
    } else all.push(one);
  }
  return all;
}

function shown(value: unknown, whole: boolean): string {
  const text = JSON.stringify(value) ?? "undefined";
  return whole || text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}…`;
}
