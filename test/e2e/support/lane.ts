/** One direction of a TCP connection through the relay: everything that goes in comes out, unless told otherwise. */
import type { Socket } from "node:net";

export class Lane {
  readonly #to: Socket;
  #delay_ms = 0;
  #held = false;
  /** How many bytes still get through before all is swallowed; undefined: no end to it. */
  #left: number | undefined;
  /** Settles when everything that has come in so far has gone out. */
  #tail: Promise<unknown> = Promise.resolve();
  #released = Promise.withResolvers<void>();

  constructor(from: Socket, to: Socket) {
    this.#to = to;
    from.on("data", (chunk: Buffer) => this.#pass(() => this.#write(chunk)));
    from.on("end", () => this.#pass(() => this.#end()));
    from.on("close", (broken) => {
      if (broken) this.#pass(() => this.#reset());
    });
  }

  /** True if nothing, or hardly anything, that goes in will ever come out. */
  get swallows(): boolean {
    return this.#left !== undefined;
  }

  /** Everything takes this much longer; the order stays. */
  delay(ms: number): void {
    this.#delay_ms = ms;
  }

  /** Nothing comes out until it is healed; then everything does. */
  hold(): void {
    this.#held = true;
  }

  /** Lets so many more bytes through, and nothing after them: the other side hears no end of it either. */
  swallow(after_bytes = 0): void {
    this.#left = after_bytes;
  }

  /** An ordinary lane again, but for what it has swallowed: a stream with a hole cannot go on. */
  heal(): void {
    this.#delay_ms = 0;
    this.#held = false;
    this.#released.resolve();
    this.#released = Promise.withResolvers();
  }

  #pass(deliver: () => void): void {
    const due = performance.now() + this.#delay_ms;
    this.#tail = this.#tail.then(async () => {
      await this.#until(due);
      while (this.#held) await this.#released.promise;
      deliver();
    });
  }

  /** Healing ends a delay too. */
  async #until(due: number): Promise<void> {
    const left = due - performance.now();
    if (left <= 0) return;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, left);
    });
    await Promise.race([over, this.#released.promise]);
    clearTimeout(timer);
  }

  #write(chunk: Buffer): void {
    const piece = this.#left === undefined ? chunk : chunk.subarray(0, this.#left);
    if (this.#left !== undefined) this.#left -= piece.byteLength;
    if (piece.byteLength > 0 && this.#to.writable) this.#to.write(piece);
  }

  #end(): void {
    if (!this.swallows) this.#to.end();
  }

  #reset(): void {
    if (!this.swallows) this.#to.resetAndDestroy();
  }
}
