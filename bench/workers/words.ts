/** The answer every candidate streams: the same pieces, so that bytes compare. */

/** As long as a model's tokens are, about five characters. */
const WORDS = ["about ", "ten ", "of the ", "costs ", "are ", "idle ", "GPU ", "hours; "];

export function piece(index: number): string {
  return WORDS[index % WORDS.length] ?? "";
}

export function answerOf(deltas: number): string {
  return Array.from({ length: deltas }, (_, index) => piece(index)).join("");
}
