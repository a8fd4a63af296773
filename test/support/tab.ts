/**
 * A well-behaved client, written from the protocol page: it holds one cursor
 * (epoch and seq), comes back when its socket is gone, sends again what was not
 * answered, and throws if an event is missing, doubled or out of order.
 */
import { type AnyFrame, newUser, type Options, open, type TestClient } from "./client.ts";

export class Tab {
  readonly sub: string;
  readonly client_id = newUser().slice(0, 60);
  /** What the application was handed, over all connections. */
  readonly delivered: AnyFrame[] = [];
  /** Greetings, one for each connection. */
  readonly greetings: AnyFrame[] = [];
  readonly replies = new Map<string, AnyFrame>();
  epoch: string | undefined;
  since = 0;
  client: TestClient;
  #n = 1;
  #read = 0;
  #replaying = false;
  readonly #outbox = new Map<string, unknown>();
  readonly #options: Options;

  private constructor(sub: string, client: TestClient, options: Options) {
    this.sub = sub;
    this.client = client;
    this.#options = options;
  }

  static async open(sub: string, options: Options = {}): Promise<Tab> {
    const tab = new Tab(sub, await open(sub, options), options);
    await tab.until(() => tab.#replaying === false && tab.epoch !== undefined);
    return tab;
  }

  /** Sends a message under an id of its own choice, now and until it is answered. */
  say(id: string, content = id): void {
    const frame = { type: "user_message", id, payload: { content, respond: false } };
    this.#outbox.set(id, frame);
    this.#send(frame);
  }

  async answered(...ids: string[]): Promise<AnyFrame[]> {
    await this.until(() => ids.every((id) => this.replies.has(id)));
    return ids.flatMap((id) => this.replies.get(id) ?? []);
  }

  async upTo(seq: number): Promise<void> {
    await this.until(() => this.since >= seq);
  }

  ack(seq = this.since): void {
    this.#send({ type: "ack", payload: { seq } });
  }

  /** Waits for a close that is on its way, and comes back. */
  async recover(): Promise<void> {
    await this.client.untilClosed();
    await this.back();
  }

  seqs(): number[] {
    return this.delivered.map(({ seq }) => seq ?? 0);
  }

  /** Reads, reconnecting as often as it takes, until it is so. */
  async until(isSo: () => boolean): Promise<void> {
    this.#digest();
    while (!isSo()) {
      if (this.client.closed !== undefined) await this.back();
      else await this.client.next(() => true).catch(() => {});
      this.#digest();
    }
  }

  /** Comes back with its cursor, as after a lost network; its old socket may still look open to the server. */
  async back(over: Options = {}): Promise<void> {
    this.#digest();
    this.#n += 1;
    const cursor = this.epoch === undefined ? {} : { epoch: this.epoch, since: this.since };
    this.client = await open(this.sub, {
      ...this.#options,
      client_id: this.client_id,
      n: this.#n,
      ...cursor,
      ...over,
    });
    this.#read = 0;
    this.#replaying = true;
    for (const frame of this.#outbox.values()) this.#send(frame);
    await this.until(() => !this.#replaying);
  }

  /** Into a socket that is gone, it is lost: the next connection sends it again. */
  #send(frame: unknown): void {
    try {
      this.client.send(frame);
    } catch {
      // Its close has not been told yet.
    }
  }

  #digest(): void {
    for (; this.#read < this.client.frames.length; this.#read += 1) {
      const frame = this.client.frames[this.#read];
      if (frame !== undefined) this.#take(frame);
    }
  }

  #take(frame: AnyFrame): void {
    const { type, seq, payload, reply_to } = frame;
    if (this.#read === 0 && type !== "connection_established" && type !== "error") {
      throw new Error(`${type} came before the greeting`);
    }
    if (type === "connection_established") this.#greeted(frame);
    if (type === "replay_completed") this.#replaying = false;
    if (type === "state_snapshot") this.since = payload.as_of_seq;
    if (type === "events_skipped") this.#move(payload.from, payload.to);
    if (seq !== undefined) {
      this.#move(seq, seq);
      this.delivered.push(frame);
      if (seq % 16 === 0) this.ack();
    }
    if (reply_to !== undefined) {
      if (this.replies.has(reply_to) && !this.#outbox.has(reply_to))
        throw new Error(`two replies to ${reply_to}`);
      this.replies.set(reply_to, frame);
      this.#outbox.delete(reply_to);
    }
  }

  #greeted(frame: AnyFrame): void {
    this.greetings.push(frame);
    this.epoch = frame.payload.epoch;
  }

  #move(from: number, to: number): void {
    if (from !== this.since + 1) throw new Error(`after ${this.since} came ${from}`);
    this.since = to;
  }
}
