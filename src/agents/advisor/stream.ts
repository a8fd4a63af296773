/** Streaming text that is ready at once in readable pieces. */
import { type Effect, text } from "../effects.ts";

/** A whole answer of 2,000 characters then takes about 1.2 s. */
const PACE_MS = 14;

/** 20 to 60 characters, to the first white space; the `u` keeps surrogate pairs whole. */
const PIECE = /.{19,59}?\s|.{1,60}/gsu;

export function* stream(answer: string): Generator<Effect, void, unknown> {
  for (const delta of pieces(answer)) yield* text(delta, { pace_ms: PACE_MS });
}

export function pieces(answer: string): readonly string[] {
  return answer.match(PIECE) ?? [];
}
