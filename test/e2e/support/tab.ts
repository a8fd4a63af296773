/** One SDK client as a person's tab, and what its person will remember of it: what was said, heard, and when. */
import { type Client, ClientError, connect, inProgress } from "../../../src/client/index.ts";
import type { Event } from "../../../src/protocol/events.ts";

export interface Said {
  readonly content: string;
  /** `maybe`: the tab was closed before it knew. `refused`: the server said no, or it never went out. */
  outcome: "pending" | "acknowledged" | "maybe" | "refused";
  /** Of the acknowledged message. */
  seq?: number;
}

export interface Change {
  /** `performance.now()` */
  readonly at: number;
  readonly status: "connecting" | "open" | "waiting" | "stopped";
  /** How an opened connection began; why another state did. */
  readonly how: string;
}

export interface TabOptions {
  readonly url: string;
  readonly token: string;
  readonly name: string;
}

export class Tab {
  readonly name: string;
  readonly client: Client;
  readonly events: Event[] = [];
  readonly said: Said[] = [];
  readonly changes: Change[] = [];
  /** Codes of what went wrong with messages or attempts. */
  readonly errors: string[] = [];

  constructor({ url, token, name }: TabOptions) {
    this.name = name;
    this.client = connect({ url, getToken: () => token });
    this.client.on("event", (event) => this.events.push(event));
    this.client.on("error", ({ code }) => this.errors.push(code));
    this.client.on("state", (state) => {
      const how =
        state.status === "open" ? state.greeting.resume : "reason" in state ? state.reason : "attempt";
      this.changes.push({ at: performance.now(), status: state.status, how });
    });
  }

  get isOpen(): boolean {
    return this.client.state.status === "open";
  }

  /** When the present connection was established; undefined if there is none. */
  get open_since(): number | undefined {
    const latest = this.changes.at(-1);
    return latest?.status === "open" ? latest.at : undefined;
  }

  /** True once every message has its reply and every run its end. */
  get isQuiet(): boolean {
    const settled = this.said.every(({ outcome }) => outcome !== "pending");
    return settled && this.isOpen && !this.client.conversation.runs.some(inProgress);
  }

  /** Says something nobody else ever says; resolves when its fate is known. */
  async say(respond: boolean): Promise<void> {
    const topic = respond ? "how do I spend less on GPUs?" : "a note";
    const said: Said = { content: `${this.name}-${this.said.length}: ${topic}`, outcome: "pending" };
    this.said.push(said);
    try {
      const { seq } = await this.client.send(said.content, { respond });
      said.outcome = "acknowledged";
      said.seq = seq;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      said.outcome = error.maybe_sent ? "maybe" : "refused";
      this.errors.push(error.code);
    }
  }

  /** The first time after `at` that this tab was connected again; undefined if it was not. */
  openedAfter(at: number): number | undefined {
    return this.changes.find((change) => change.at > at && change.status === "open")?.at;
  }
}
