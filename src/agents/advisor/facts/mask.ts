/**
 * Reading a text in layers: what one reader has understood is blanked out for
 * the next, so that the "200M" of "200M tokens/day" is never taken for money.
 * Lengths stay the same, so positions are valid in the original too.
 */

export interface Masked {
  readonly matches: readonly RegExpExecArray[];
  readonly rest: string;
}

/** Finds every match of a global `pattern` in `text`, and blanks it. */
export function mask(text: string, pattern: RegExp): Masked {
  const matches = [...text.matchAll(pattern)];
  return { matches, rest: text.replace(pattern, (match) => " ".repeat(match.length)) };
}
