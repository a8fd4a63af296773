/**
 * Runs a scenario: the bare object and the product in turn, round after round,
 * so that whatever else the machine does hits both. The other one idles meanwhile.
 */
import { type Candidate, type CandidateName, start } from "./runtime.ts";
import type { Findings, Scenario } from "./scenario.ts";
import { median } from "./stats.ts";

/** The median over all rounds of every finding, by candidate. */
export interface Outcome {
  readonly bare: Findings;
  readonly product: Findings;
}

export interface Options {
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}

export class Runner {
  readonly #options: Options;
  /** Kept over all scenarios, as a server that has been up for a while. */
  readonly #running = new Map<CandidateName, Candidate>();
  #rounds = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  async run(scenario: Scenario): Promise<Outcome> {
    const { against, product = "product", name } = scenario;
    const found: Record<"bare" | "product", Findings[]> = { bare: [], product: [] };
    const rounds = this.#options.quick ? 1 : scenario.rounds;
    for (let round = 1; round <= rounds; round += 1) {
      this.#options.progress(`${name}: round ${round} of ${rounds}`);
      const bare = async () => {
        if (against !== undefined) found.bare.push(await this.#measure(scenario, against));
      };
      const ours = async () => {
        found.product.push(await this.#measure(scenario, product));
      };
      // Neither is always the one that comes first.
      for (const one of round % 2 === 1 ? [bare, ours] : [ours, bare]) await one();
    }
    return { bare: medians(found.bare), product: medians(found.product) };
  }

  async stop(): Promise<void> {
    for (const candidate of this.#running.values()) await candidate.stop();
    this.#running.clear();
  }

  async #measure(scenario: Scenario, name: CandidateName): Promise<Findings> {
    this.#rounds += 1;
    const round = { quick: this.#options.quick, id: `${this.#rounds}` };
    if (scenario.fresh !== true) return await scenario.measure(await this.#candidate(name), round);
    const candidate = await start(name);
    return await scenario.measure(candidate, round).finally(candidate.stop);
  }

  async #candidate(name: CandidateName): Promise<Candidate> {
    const known = this.#running.get(name);
    if (known !== undefined) return known;
    const candidate = await start(name);
    this.#running.set(name, candidate);
    return candidate;
  }
}

function medians(rounds: readonly Findings[]): Findings {
  const names = new Set(rounds.flatMap((findings) => Object.keys(findings)));
  return Object.fromEntries(
    [...names].map((name) => [name, median(rounds.flatMap((findings) => findings[name] ?? []))]),
  );
}
