/** Where a figure stands: the words before and after it that may say what it means. */

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Context {
  /** From the previous figure, or the start of the sentence. */
  readonly before: string;
  /** From the start of the sentence. */
  readonly lead: string;
  /** To the next figure, or the end of the sentence. */
  readonly after: string;
  readonly sentence: string;
}

/** Far more than a clause has; keeps long texts cheap. */
const REACH_CHARS = 200;

const END = /[.!?;](?=\s|$)|\n/;

/** The contexts of `spans`, which are in order and do not overlap. */
export function contexts(text: string, spans: readonly Span[]): readonly Context[] {
  return spans.map(({ start, end }, index) => {
    const lead =
      text
        .slice(Math.max(0, start - REACH_CHARS), start)
        .split(END)
        .at(-1) ?? "";
    const tail = text.slice(end, end + REACH_CHARS).split(END)[0] ?? "";
    const previous = Math.max(0, (spans[index - 1]?.end ?? 0) - (start - lead.length));
    return {
      before: lead.slice(previous),
      lead,
      after: tail.slice(0, Math.max(0, (spans[index + 1]?.start ?? text.length) - end)),
      sentence: lead + text.slice(start, end) + tail,
    };
  });
}
