/** One deliberate fault: what is replaced by what, in the text of which file. */
interface Edit {
  readonly file: string;
  /** Occurs exactly once in it. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
}

export const session = (file: string, find: string, replace: string): Edit => ({
  file: `src/session/${file}`,
  find,
  replace,
});

export const mutant = (name: string, ...edits: Edit[]): Mutant => ({ name, edits });
