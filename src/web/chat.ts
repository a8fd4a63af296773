/** One signed-in user's chat: a client, and the page that shows one of its threads. */
import {
  type Client,
  type ClientState,
  connect,
  DEFAULT_THREAD_ID,
  type Run,
  type Thread,
  uuidv7,
} from "../client/index.ts";
import { announce } from "./announcer.ts";
import { Api } from "./api.ts";
import { Commands } from "./commands.ts";
import type { Composer } from "./composer.ts";
import { History } from "./history.ts";
import type { Notice } from "./notice.ts";
import { keepPlace, placeIn } from "./place.ts";
import { RunNotes } from "./run-notes.ts";
import type { Identity } from "./sign-in.ts";
import type { StatusView } from "./status.ts";
import type { ThreadList } from "./thread-list.ts";
import { ThreadPages } from "./thread-pages.ts";
import type { Transcript } from "./transcript.ts";
import { firstToStop, type Turn, turnsOf } from "./turns.ts";

export interface ChatOptions {
  readonly origin: string;
  readonly identity: Identity;
  readonly transcript: Transcript;
  readonly threads: ThreadList;
  readonly composer: Composer;
  readonly status: StatusView;
  readonly notice: Notice;
  readonly announcer: HTMLElement;
  /** Called with true while there is nothing to show yet. */
  readonly emptied: (is_empty: boolean) => void;
}

export class Chat {
  /** What is asked for, whatever is shown. */
  readonly commands: Commands;
  readonly #options: ChatOptions;
  readonly #client: Client;
  readonly #history: History;
  readonly #api: Api;
  readonly #pages: ThreadPages;
  readonly #notes = new RunNotes();
  #thread_id: string | undefined;
  #turns: readonly Turn[] = [];
  #ready = false;
  #closed = false;
  #frame: number | undefined;

  constructor(options: ChatOptions) {
    this.#options = options;
    const { origin, identity, announcer, notice } = options;
    this.#api = new Api(origin, identity.getToken);
    this.#history = new History((thread_id, through) => this.#api.messages(thread_id, through));
    this.#pages = new ThreadPages((before) => this.#api.threads(before));
    this.#client = connect({
      url: origin,
      getToken: identity.getToken,
      onState: (state) => this.#stateChanged(state),
    });
    this.commands = new Commands({ client: this.#client, notice, changed: () => this.#changed() });
    this.#client.on("conversation", () => {
      this.#ready = true;
      this.#changed();
    });
    this.#client.on("thread_updated", ({ payload }) => this.#pages.updated(payload));
    this.#client.on("feedback_recorded", ({ payload }) => this.#history.rated(payload));
    this.#client.on("thread_deleted", ({ payload }) => this.#deleted(payload.thread_id));
    this.#client.on("event", (event) => this.#notes.event(event));
    this.#client.on("frame", (frame) => {
      if (frame.type === "state_snapshot") this.#replaced(frame);
      if (frame.type === "tool_progress") this.#progressed(frame);
    });
    announce(this.#client, announcer);
  }

  ask(content: string): void {
    this.#thread_id ??= DEFAULT_THREAD_ID;
    this.commands.say(this.#thread_id, content);
    this.#render();
    this.#options.transcript.scrollToEnd();
  }

  /** Shows the branch that goes through a message, to its newest end. */
  async showVersion(message_id: string): Promise<void> {
    const thread_id = this.#thread_id;
    if (thread_id === undefined) return;
    const head_message_id = await this.#history.newest(this.#client.conversation, thread_id, message_id);
    this.commands.showBranch(thread_id, head_message_id);
  }

  stopRun(): void {
    const run = this.#activeRun();
    if (run !== undefined) this.commands.stopRun(run.run_id);
  }

  openThread(thread_id: string): void {
    this.#options.notice.clear();
    this.#thread_id = thread_id;
    keepPlace(thread_id);
    this.#render();
    this.#options.transcript.scrollToEnd();
  }

  /** There is nothing to store before something is said in it. */
  startThread(): void {
    this.openThread(uuidv7());
  }

  deleteThread(thread_id: string): void {
    // What is deleted here needs no telling.
    if (thread_id === this.#thread_id) this.#leave();
    this.commands.deleteThread(thread_id);
  }

  async moreThreads(): Promise<void> {
    await this.#pages.more().catch(() => this.#options.notice.show("Older chats could not be loaded."));
    this.#changed();
  }

  /** What a run asks somebody to agree to, where a snapshot had no room for it. */
  async argsOf(run_id: string, wait_id: string): Promise<unknown> {
    return await this.#api.argsOf(run_id, wait_id);
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  /** Before the view is replaced: what it shows now is kept until it has been loaded. */
  #replaced(snapshot: Parameters<RunNotes["snapshot"]>[0]): void {
    this.#history.replaced(this.#client.conversation, this.#thread_id);
    this.#pages.reset();
    this.#notes.snapshot(snapshot);
  }

  #progressed(progress: Parameters<RunNotes["progress"]>[0]): void {
    this.#notes.progress(progress);
    this.#changed();
  }

  #deleted(thread_id: string): void {
    this.#pages.deleted(thread_id);
    this.#history.forget(thread_id);
    if (thread_id !== this.#thread_id) return;
    this.#leave();
    this.#options.notice.show("The chat you were reading was deleted elsewhere.");
  }

  /** To the newest of the others; without one, to an empty page. */
  #leave(): void {
    const others = this.#threads().filter(({ thread_id }) => thread_id !== this.#thread_id);
    this.openThread(others[0]?.thread_id ?? uuidv7());
  }

  /** What the view lacks of the thread that is shown. */
  async #complete({ thread_id, head_message_id }: Thread): Promise<void> {
    if (head_message_id === null) return;
    const loaded = await this.#history.load(this.#client.conversation, thread_id, head_message_id);
    if (loaded === "more") this.#changed();
    if (loaded === "gone") this.#deleted(thread_id);
  }

  /** What the list lacks: names of threads that only something said late has brought into the view. */
  async #nameThreads(): Promise<void> {
    if (await this.#pages.learnTitles(this.#client.conversation)) this.#changed();
  }

  #stateChanged(state: ClientState): void {
    this.#options.status.show(state);
    if (state.status === "open") {
      this.#history.again();
      this.#pages.again();
      this.#changed();
    }
    if ("reason" in state && state.reason.startsWith("token_")) this.#options.identity.refused(state.reason);
  }

  /** At most one rendering per picture, however fast the text comes. */
  #changed(): void {
    if (this.#closed) return;
    this.#frame ??= requestAnimationFrame(() => this.#render());
  }

  #render(): void {
    this.#frame = undefined;
    const view = this.#history.complete(this.#client.conversation);
    const threads = this.#threads();
    // Stay in the thread that was shown at first, whatever other pages do in theirs.
    this.#thread_id ??= placeIn(threads);
    void this.#nameThreads();
    const { pending, ratings, answers } = this.commands;
    pending.settle(view);
    ratings.settle(view);
    const thread_id = this.#thread_id ?? DEFAULT_THREAD_ID;
    const thread = threads.find((known) => known.thread_id === thread_id);
    if (thread !== undefined) void this.#complete(thread);
    this.#turns = turnsOf(view, {
      thread_id,
      head: thread?.head_message_id,
      pending: pending.of(thread_id),
      rated: (message_id) => ratings.of(message_id),
      noted: (run_id) => this.#notes.of(run_id),
      answers: answers.given,
      listed: (message_id) => this.#history.listed(message_id),
    });
    this.#options.transcript.show(this.#turns);
    this.#options.threads.show(threads, this.#thread_id, this.#pages.hasMore(this.#client.conversation));
    this.#options.composer.running(this.#activeRun() !== undefined);
    const empty = this.#turns.length === 0 && (thread?.head_message_id ?? null) === null;
    this.#options.emptied(this.#ready && empty);
  }

  #threads(): readonly Thread[] {
    return this.#pages.list(this.#client.conversation);
  }

  /** The one on the branch that is shown; or another of the thread, for which what is asked there waits. */
  #activeRun(): Run | undefined {
    const shown = this.#turns.flatMap((turn) => (turn.kind === "run" && turn.run ? [turn.run] : []));
    const thread_id = this.#thread_id ?? DEFAULT_THREAD_ID;
    const others = this.#client.conversation.runs.filter((run) => run.thread_id === thread_id);
    return firstToStop([...shown, ...others]);
  }
}
