/** Streaming text that is ready at once in readable pieces. */
import { type Effect, text } from "../effects.ts";

/** A whole answer of 2,000 characters then takes about 1.2 s. */
const PACE_MS = 14;

/** Pieces end at the first word boundary from here on … */
const MIN_CHARS = 20;
/** … and at the latest here. */
const MAX_CHARS = 60;

export function* stream(answer: string): Generator<Effect, void, unknown> {
  for (const delta of pieces(answer)) yield* text(delta, { pace_ms: PACE_MS });
}

export function pieces(answer: string): readonly string[] {
  const found: string[] = [];
  for (let from = 0; from < answer.length; ) {
    const end = endOf(answer, from);
    found.push(answer.slice(from, end));
    from = end;
  }
  return found;
}

function endOf(answer: string, from: number): number {
  if (answer.length - from <= MAX_CHARS) return answer.length;
  const space = answer.slice(from + MIN_CHARS - 1, from + MAX_CHARS).search(/\s/);
  if (space >= 0) return from + MIN_CHARS + space;
  const last = answer.charCodeAt(from + MAX_CHARS - 1);
  return from + MAX_CHARS - (last >= 0xd800 && last < 0xdc00 ? 1 : 0);
}
