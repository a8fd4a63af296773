/** The parts of an answer that comes as a stream of chunks, or in one piece. */
import type { Completion } from "./completion.ts";
import { ModelFailure } from "./failure.ts";
import type { ModelPart } from "./model.ts";
import { DONE } from "./sse.ts";

/** Chunks of a stream as parts, up to its end, whichever way it says so. */
export async function* fromChunks(
  values: AsyncIterable<unknown>,
  completion: Completion,
): AsyncGenerator<ModelPart, void, undefined> {
  let done = false;
  try {
    for await (const value of values) {
      done = value === DONE;
      if (done) break;
      yield* completion.take(value);
    }
  } catch (cause) {
    // What goes wrong after the last word, there or on the way, has taken nothing away.
    if (!completion.complete || !(cause instanceof ModelFailure) || cause.code === "cancelled") throw cause;
  }
  yield* completion.end(done);
}

/** It is whole, whether or not it says why it ends. */
export function* inOnePiece(value: unknown, completion: Completion): Generator<ModelPart, void, undefined> {
  yield* completion.take(value);
  if (!completion.begun) throw new ModelFailure("model_bad_response");
  yield* completion.end(true);
}
