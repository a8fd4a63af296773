/**
 * What a snapshot leaves out: it brings the messages of the newest thread only,
 * and after a gap the page may be standing in another one.
 */
import type { Conversation, Message } from "../client/index.ts";

const LOAD_TIMEOUT_MS = 8_000;

export class OlderMessages {
  readonly #load: (thread_id: string) => Promise<readonly Message[]>;
  #messages: readonly Message[] = [];
  /** What is still to come; another object after each snapshot, so that an answer from before it is not taken. */
  #missing: { readonly thread_id: string } | undefined;

  constructor(load: (thread_id: string) => Promise<readonly Message[]>) {
    this.#load = load;
  }

  /** A snapshot is about to replace the view. What it lacks of the thread stays shown until it has been loaded. */
  replaced(snapshot: readonly Message[], shown: Conversation, thread_id: string | undefined): void {
    const isOf = (message: Message) => message.thread_id === thread_id;
    const lacks = thread_id !== undefined && !snapshot.some(isOf);
    this.#messages = lacks ? this.complete(shown).messages.filter(isOf) : [];
    this.#missing = lacks ? { thread_id } : undefined;
  }

  /** True if there is more to show. False also if it failed: try again when the connection is back. */
  async load(): Promise<boolean> {
    const missing = this.#missing;
    if (missing === undefined) return false;
    const messages = await this.#load(missing.thread_id).catch(() => undefined);
    if (messages === undefined || this.#missing !== missing) return false;
    this.#messages = messages;
    this.#missing = undefined;
    return true;
  }

  /** The view and what it leaves out; what both have is as the view has it. */
  complete(view: Conversation): Conversation {
    const known = new Set(view.messages.map(({ message_id }) => message_id));
    const others = this.#messages.filter(({ message_id }) => !known.has(message_id));
    if (others.length === 0) return view;
    return { ...view, messages: [...others, ...view.messages].sort((a, b) => a.seq - b.seq) };
  }
}

/** The newest messages of a thread; none if nothing was said in it yet. */
export async function loadMessages(origin: string, token: string, thread_id: string): Promise<Message[]> {
  const response = await fetch(`${origin}/v1/threads/${encodeURIComponent(thread_id)}/messages`, {
    headers: { Authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(LOAD_TIMEOUT_MS),
  });
  if (response.status === 404) return [];
  const answer: unknown = await response.json();
  if (isPage(answer)) return answer.messages;
  throw new Error(`the messages of a thread: answered ${response.status}`);
}

function isPage(answer: unknown): answer is { readonly messages: Message[] } {
  return (
    typeof answer === "object" && answer !== null && "messages" in answer && Array.isArray(answer.messages)
  );
}
