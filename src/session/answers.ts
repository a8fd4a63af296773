/** The answers being written right now, whoever writes them. In memory only: what counts is in the log. */
import type { PartialResult } from "../protocol/stream.ts";
import { Answer, type SoFar } from "./answer.ts";
import type { Clock } from "./ports.ts";
import type { Run } from "./run.ts";

export class Answers {
  readonly #clock: Clock;
  readonly #stream: (frame: PartialResult) => void;
  readonly #answers = new Map<string, Answer>();

  /** @param stream sends a stream frame to everyone who has caught up */
  constructor(clock: Clock, stream: (frame: PartialResult) => void) {
    this.#clock = clock;
    this.#stream = stream;
  }

  /** An empty answer, in the place of one that another attempt had begun. */
  begin(run: Run): Answer {
    this.end(run.run_id);
    const answer = new Answer(run, this.#clock, this.#stream);
    this.#answers.set(run.run_id, answer);
    return answer;
  }

  /** The answer of a run, begun if it was not. */
  of(run: Run): Answer {
    return this.#answers.get(run.run_id) ?? this.begin(run);
  }

  /** The text so far of every answer being written. */
  current(): PartialResult[] {
    return [...this.#answers.values()]
      .map((answer) => answer.current())
      .filter((frame) => frame !== undefined);
  }

  textOf(run_id: string): string {
    return this.#answers.get(run_id)?.text ?? "";
  }

  soFar(run_id: string): SoFar {
    return this.#answers.get(run_id)?.soFar ?? { content: "", models: [], spent: [] };
  }

  /** Sends what is pending of a run's text. */
  flush(run_id: string): void {
    this.#answers.get(run_id)?.flush();
  }

  end(run_id: string): void {
    this.#answers.get(run_id)?.stop();
    this.#answers.delete(run_id);
  }
}
