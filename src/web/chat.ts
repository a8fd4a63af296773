/** One signed-in user's chat: a client, and the page that shows its conversation. */
import {
  type Client,
  ClientError,
  type ClientState,
  connect,
  inProgress,
  type Run,
  uuidv7,
} from "../client/index.ts";
import { announce } from "./announcer.ts";
import type { Composer } from "./composer.ts";
import type { Identity } from "./sign-in.ts";
import type { StatusView } from "./status.ts";
import type { Transcript } from "./transcript.ts";
import { type Pending, turnsOf } from "./turns.ts";

/** The thread of everyone who has not started another. */
const FIRST_THREAD = "main";

export interface ChatOptions {
  readonly origin: string;
  readonly identity: Identity;
  readonly transcript: Transcript;
  readonly composer: Composer;
  readonly status: StatusView;
  readonly announcer: HTMLElement;
  /** Called with true while there is nothing to show yet. */
  readonly emptied: (is_empty: boolean) => void;
  /** The sign-in is worth nothing any more. */
  readonly rejected: (reason: string) => void;
}

export class Chat {
  readonly #options: ChatOptions;
  readonly #client: Client;
  #thread_id: string | undefined;
  #pending: readonly Pending[] = [];
  #ready = false;
  #frame: number | undefined;

  constructor(options: ChatOptions) {
    this.#options = options;
    const { origin, identity, announcer } = options;
    this.#client = connect({
      url: origin,
      getToken: identity.getToken,
      onState: (state) => this.#stateChanged(state),
    });
    this.#client.on("conversation", () => this.#changed());
    announce(this.#client, announcer);
  }

  ask(content: string): void {
    const pending = { key: uuidv7(), content };
    this.#pending = [...this.#pending, pending];
    this.#render();
    this.#options.transcript.scrollToEnd();
    void this.#send(pending);
  }

  retry(pending: Pending): void {
    this.#pending = this.#pending.filter(({ key }) => key !== pending.key);
    this.ask(pending.content);
  }

  stopRun(): void {
    const run = this.#activeRun();
    // A refusal means that the run has just ended by itself.
    if (run !== undefined) this.#client.cancel(run.run_id).catch(() => {});
  }

  startThread(): void {
    this.#thread_id = uuidv7();
    this.#render();
  }

  close(): void {
    this.#client.close();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  async #send(pending: Pending): Promise<void> {
    const thread_id = this.#thread_id;
    try {
      const options = thread_id === undefined ? {} : { thread_id };
      const { message_id } = await this.#client.send(pending.content, options);
      this.#replace({ ...pending, message_id });
    } catch (error) {
      const problem = error instanceof ClientError ? error.message : "something went wrong";
      this.#replace({ ...pending, problem });
    }
  }

  #replace(pending: Pending): void {
    this.#pending = this.#pending.map((known) => (known.key === pending.key ? pending : known));
    this.#changed();
  }

  #stateChanged(state: ClientState): void {
    this.#options.status.show(state);
    // A token that was pasted cannot renew itself; one from the development sign-in does.
    if (this.#options.identity.name !== undefined) return;
    if ("reason" in state && state.reason.startsWith("token_")) this.#options.rejected(state.reason);
  }

  /** At most one rendering per picture, however fast the text comes. */
  #changed(): void {
    this.#ready = true;
    this.#frame ??= requestAnimationFrame(() => this.#render());
  }

  #render(): void {
    this.#frame = undefined;
    const view = this.#client.conversation;
    // Stay in the thread that was newest at first, whatever other pages do in theirs.
    this.#thread_id ??= view.threads[0]?.thread_id;
    const turns = turnsOf(view, this.#thread_id ?? FIRST_THREAD, this.#pending);
    this.#options.transcript.show(turns);
    this.#options.composer.running(this.#activeRun() !== undefined);
    this.#options.emptied(this.#ready && turns.length === 0);
  }

  #activeRun(): Run | undefined {
    const thread_id = this.#thread_id ?? FIRST_THREAD;
    return this.#client.conversation.runs.find((run) => run.thread_id === thread_id && inProgress(run));
  }
}
