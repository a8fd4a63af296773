/** What a scenario is: how one round of it goes on one candidate, and the lines of the table it fills. */
import type { Bar } from "./bars.ts";
import type { Candidate, CandidateName } from "./runtime.ts";

/** What one round found; what could not be measured is left out. */
export type Findings = Readonly<Record<string, number | undefined>>;

export interface Line {
  readonly what: string;
  /** Name of the finding. */
  readonly finding: string;
  readonly unit: "ms" | "/s" | "bytes" | "frames" | "KiB" | "rows" | "events" | "characters";
  readonly bar: Bar;
}

export interface Round {
  /** True where a rough answer soon is wanted. */
  readonly quick: boolean;
  /** Different in every round: users are never used twice. */
  readonly id: string;
}

export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  /** What the product is compared with; undefined if the bars are absolute. */
  readonly against: "durable" | "grouped" | undefined;
  /** Rounds of a full run, each on every candidate in turn. */
  readonly rounds: number;
  readonly lines: readonly Line[];
  /** True if a round needs a process of its own, which nothing has warmed up. */
  readonly fresh?: boolean;
  /** The product's worker, if it is another one. */
  readonly product?: CandidateName;
  measure(candidate: Candidate, round: Round): Promise<Findings>;
}
