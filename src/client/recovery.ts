/**
 * What is done about a view that misses something: a snapshot is asked for and
 * awaited, and if that helps nothing again and again, there is an end to it.
 */
import { REPLY_TIMEOUT_MS } from "../protocol/pure/constants.ts";
import { STABLE_AFTER_MS } from "./backoff.ts";
import type { Cancel, Environment } from "./environment.ts";
import type { Link } from "./link.ts";
import { type Pace, RESYNC_COST } from "./pace.ts";

/** Order is restored at most this often without an event or a calm while in between; then the fault is not one of the network. */
const MAX_RECOVERIES = 3;

export interface RecoveryOptions {
  readonly environment: Pick<Environment, "setTimer" | "uuid">;
  readonly pace: Pace;
  readonly link: Pick<Link, "send" | "reconnect" | "stable">;
}

export class Recovery {
  readonly #options: RecoveryOptions;
  #tries = 0;
  /** Of the resync that was last asked for. */
  #id = "";
  /** One timer: either a snapshot is awaited, or the view is whole. */
  #cancel: Cancel = () => {};

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Asks for a snapshot. False, and nothing is asked, if that was tried too often. */
  begin(): boolean {
    this.#tries += 1;
    if (this.#tries > MAX_RECOVERIES) return false;
    this.#ask();
    return true;
  }

  /** A command came too fast, as when several tabs of one user send at once; if it was ours, it goes out again. */
  refused(id: string, retry_after_ms: number): void {
    if (id === this.#id) this.#after(retry_after_ms, () => this.#ask());
  }

  /** A server that is slow with its snapshots may do better on the next connection; that is no reason to stop. */
  awaitSnapshot(): void {
    this.#after(REPLY_TIMEOUT_MS, () => this.#options.link.reconnect("no_snapshot"));
  }

  /** The view misses nothing from here on. */
  whole(): void {
    this.#after(STABLE_AFTER_MS, () => {
      this.progressed();
      this.#options.link.stable();
    });
  }

  /** An event came in order: the next loss is another one. */
  progressed(): void {
    this.#tries = 0;
  }

  /** The connection is gone. */
  drop(): void {
    this.#cancel();
  }

  #ask(): void {
    this.awaitSnapshot();
    const { link, environment, pace } = this.#options;
    this.#id = environment.uuid();
    pace.spend(RESYNC_COST);
    link.send(JSON.stringify({ type: "resync", id: this.#id, payload: {} }));
  }

  #after(ms: number, run: () => void): void {
    this.#cancel();
    this.#cancel = this.#options.environment.setTimer(ms, run);
  }
}
