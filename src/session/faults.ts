/** What may be said of something thrown: its kind and where it came from. Its message could hold text of a chat or a token. */

export interface Fault {
  readonly kind: string;
  /** The innermost frames of the stack. */
  readonly where: readonly string[];
}

export function faultOf(cause: unknown): Fault {
  if (!(cause instanceof Error)) return { kind: typeof cause, where: [] };
  // A message may have several lines and stands in the stack too: only what looks like a frame is kept.
  const frames = (cause.stack ?? "").split("\n").filter((line) => /^\s+at .+:\d+:\d+\)?$/.test(line));
  return { kind: cause.name, where: frames.slice(0, 4).map((line) => line.trim()) };
}
