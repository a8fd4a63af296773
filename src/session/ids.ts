/**
 * Ids made here embed the seq they belong to, so that any message or run is one
 * key lookup. The random part keeps them from being guessed.
 */

/** A person's message: its own seq. An answer, its run and the run's tool calls: the seq of the event that asked for it. A thread, and a wait: of the event that made it. */
type Kind = "m" | "a" | "r" | "t" | "w";

export function makeId(kind: Kind, seq: number, random: string): string {
  return `${kind}_${seq}_${random}`;
}

/** The same on every attempt of the run: part of its journal. */
export function toolCallId(start_seq: number, step: number, index: number): string {
  return `c_${start_seq}_${step}_${index}`;
}

/** The seq in an id of one of these kinds; undefined for anything a client made up. */
export function seqOf(id: string | undefined, kinds: readonly Kind[]): number | undefined {
  const match = /^([marw])_(\d{1,15})_/.exec(id ?? "");
  const kind = kinds.find((known) => known === match?.[1]);
  return kind === undefined ? undefined : Number(match?.[2]);
}
