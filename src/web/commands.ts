/** What the reader asks of the server: shown at once where it can be; what is refused is told. */
import { type Client, ClientError, type Message, uuidv7 } from "../client/index.ts";
import { Answers, type Verdict } from "./answers.ts";
import { type Pending, PendingMessages, problemOf } from "./pending.ts";
import { type Given, Ratings } from "./ratings.ts";

/** What is thought of an answer, and why, if that was said. */
export interface Opinion extends Given {
  readonly comment?: string;
}

export interface CommandsOptions {
  readonly client: Pick<Client, "send" | "command" | "cancel">;
  readonly notice: { show(text: string): void; clear(): void };
  /** Called when `pending`, `ratings` or `answers` have changed. */
  readonly changed: () => void;
}

const UNKNOWN = { code: "unknown", message: "something went wrong" } as const;

export class Commands {
  readonly pending = new PendingMessages();
  readonly ratings = new Ratings();
  readonly answers = new Answers();
  readonly #options: CommandsOptions;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  say(thread_id: string, content: string): void {
    this.#submit({ key: uuidv7(), thread_id, content });
  }

  /** Into the thread it was written in, whichever is shown now. */
  retry(pending: Pending): void {
    this.pending.forget(pending.key);
    const { problem: _problem, ...message } = pending;
    this.#submit({ ...message, key: uuidv7() });
  }

  /** In the place of what was asked: the question and all that followed stay on their branch. */
  edit({ thread_id, parent_message_id }: Message, content: string): void {
    this.#submit({ key: uuidv7(), thread_id, content, parent_message_id });
  }

  regenerate(message_id: string): void {
    const command = { type: "message_regenerate", payload: { message_id } } as const;
    void this.#ask("A new answer could not be asked for", command);
  }

  /** Resolves to true once it is stored, to false if it was refused. */
  async rate(opinion: Opinion): Promise<boolean> {
    this.ratings.add(opinion);
    this.#options.changed();
    const ack = await this.#ask("What you think of the answer was not taken", {
      type: "feedback",
      payload: opinion,
    });
    if (ack === undefined) this.ratings.refused(opinion);
    else this.ratings.stored(opinion, ack.seq);
    this.#options.changed();
    return ack !== undefined;
  }

  /** Shows the branch of a thread that ends with a message. */
  showBranch(thread_id: string, head_message_id: string): void {
    const command = { type: "thread_update", payload: { thread_id, head_message_id } } as const;
    void this.#ask("The other version cannot be shown", command);
  }

  renameThread(thread_id: string, title: string): void {
    const command = { type: "thread_update", payload: { thread_id, title } } as const;
    void this.#ask("The chat could not be renamed", command);
  }

  deleteThread(thread_id: string): void {
    void this.#ask("The chat could not be deleted", { type: "thread_delete", payload: { thread_id } });
  }

  stopRun(run_id: string): void {
    // A refusal means that the run has just ended by itself.
    this.#options.client.cancel(run_id).catch(() => {});
  }

  /** What a run waits for. A refusal is told where the question stands: that somebody was faster is no error. */
  async answer(wait_id: string, decision: Verdict, value?: unknown): Promise<void> {
    const { client, changed } = this.#options;
    if (!this.answers.begin(wait_id, decision)) return;
    changed();
    try {
      await client.command({
        type: "run_resume",
        payload: { wait_id, decision, ...(value !== undefined && { value }) },
      });
    } catch (error) {
      this.answers.refused(wait_id, decision, error);
      changed();
    }
  }

  /** Undefined if it was not carried out; the reader has been told then, unless the chat was closed. */
  async #ask(problem: string, command: Parameters<Client["command"]>[0]) {
    const { client, notice } = this.#options;
    notice.clear();
    try {
      return await client.command(command);
    } catch (error) {
      const { code, message } = error instanceof ClientError ? error : UNKNOWN;
      if (code !== "closed") notice.show(`${problem}: ${message}.`);
      return undefined;
    }
  }

  #submit(message: Pending): void {
    this.#options.notice.clear();
    this.pending.add(message);
    this.#options.changed();
    void this.#send(message);
  }

  async #send({ key, content, thread_id, parent_message_id }: Pending): Promise<void> {
    const place = parent_message_id === undefined ? { thread_id } : { thread_id, parent_message_id };
    try {
      const { message_id } = await this.#options.client.send(content, place);
      this.pending.change(key, { message_id });
    } catch (error) {
      this.pending.change(key, { problem: problemOf(error) });
    }
    this.#options.changed();
  }
}
