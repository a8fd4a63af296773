/** One signed-in user's chat: a client, and the page that shows its conversation. */
import {
  type Client,
  ClientError,
  type ClientState,
  connect,
  DEFAULT_THREAD_ID,
  inProgress,
  type Run,
  uuidv7,
} from "../client/index.ts";
import { announce } from "./announcer.ts";
import type { Composer } from "./composer.ts";
import { loadMessages, OlderMessages } from "./older.ts";
import { type Pending, PendingMessages } from "./pending.ts";
import type { Identity } from "./sign-in.ts";
import type { StatusView } from "./status.ts";
import type { Transcript } from "./transcript.ts";
import { turnsOf } from "./turns.ts";

export interface ChatOptions {
  readonly origin: string;
  readonly identity: Identity;
  readonly transcript: Transcript;
  readonly composer: Composer;
  readonly status: StatusView;
  readonly announcer: HTMLElement;
  /** Called with true while there is nothing to show yet. */
  readonly emptied: (is_empty: boolean) => void;
}

export class Chat {
  readonly #options: ChatOptions;
  readonly #client: Client;
  #thread_id: string | undefined;
  readonly #pending = new PendingMessages();
  readonly #older: OlderMessages;
  #ready = false;
  #closed = false;
  #frame: number | undefined;

  constructor(options: ChatOptions) {
    this.#options = options;
    const { origin, identity, announcer } = options;
    this.#client = connect({
      url: origin,
      getToken: identity.getToken,
      onState: (state) => this.#stateChanged(state),
    });
    this.#older = new OlderMessages(async (id) => loadMessages(origin, await identity.getToken(), id));
    this.#client.on("conversation", () => this.#changed());
    this.#client.on("frame", (frame) => {
      if (frame.type !== "state_snapshot") return;
      this.#older.replaced(frame.payload.messages, this.#client.conversation, this.#thread_id);
      void this.#loadOlder();
    });
    announce(this.#client, announcer);
  }

  ask(content: string): void {
    this.#thread_id ??= DEFAULT_THREAD_ID;
    this.#submit({ key: uuidv7(), thread_id: this.#thread_id, content });
    this.#options.transcript.scrollToEnd();
  }

  /** Into the thread it was written in, whichever is shown now. */
  retry({ key, thread_id, content }: Pending): void {
    this.#pending.forget(key);
    this.#submit({ key: uuidv7(), thread_id, content });
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
    this.#closed = true;
    this.#client.close();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  #submit(message: Pending): void {
    this.#pending.add(message);
    this.#render();
    void this.#send(message);
  }

  async #send({ key, thread_id, content }: Pending): Promise<void> {
    try {
      const { message_id } = await this.#client.send(content, { thread_id });
      this.#pending.change(key, { message_id });
    } catch (error) {
      this.#pending.change(key, { problem: problemOf(error) });
    }
    this.#changed();
  }

  async #loadOlder(): Promise<void> {
    if (await this.#older.load()) this.#changed();
  }

  #stateChanged(state: ClientState): void {
    this.#options.status.show(state);
    if (state.status === "open") void this.#loadOlder();
    if ("reason" in state && state.reason.startsWith("token_")) this.#options.identity.refused(state.reason);
  }

  /** At most one rendering per picture, however fast the text comes. */
  #changed(): void {
    if (this.#closed) return;
    this.#ready = true;
    this.#frame ??= requestAnimationFrame(() => this.#render());
  }

  #render(): void {
    this.#frame = undefined;
    const view = this.#older.complete(this.#client.conversation);
    // Stay in the thread that was newest at first, whatever other pages do in theirs.
    this.#thread_id ??= view.threads[0]?.thread_id;
    this.#pending.settle(view);
    const thread_id = this.#thread_id ?? DEFAULT_THREAD_ID;
    const turns = turnsOf(view, thread_id, this.#pending.of(thread_id));
    this.#options.transcript.show(turns);
    this.#options.composer.running(this.#activeRun() !== undefined);
    this.#options.emptied(this.#ready && turns.length === 0);
  }

  #activeRun(): Run | undefined {
    const thread_id = this.#thread_id ?? DEFAULT_THREAD_ID;
    return this.#client.conversation.runs.find((run) => run.thread_id === thread_id && inProgress(run));
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof ClientError)) return "Not sent: something went wrong.";
  return error.maybe_sent ? `May have been sent: ${error.message}.` : `Not sent: ${error.message}.`;
}
