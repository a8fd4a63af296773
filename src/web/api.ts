/** What the page reads over HTTP: more threads and messages than a snapshot has room for. */
import type { Message, Step, Thread } from "../client/index.ts";
import type { Usage } from "./run-notes.ts";

const LOAD_TIMEOUT_MS = 8_000;

/** In one answer: the most there can be. */
const MESSAGES = 200;

export interface ListedMessage extends Message {
  /** How an answer came about, as far as that is kept. */
  readonly steps?: readonly Step[];
  /** What models took part, and what of. */
  readonly model_calls?: readonly Usage[];
  /** Ids of all that follow the same message, this one included; absent if it is the only one. */
  readonly alternatives?: readonly string[];
}

export interface ThreadPage {
  readonly threads: readonly Thread[];
  /** The `before` of the next page. */
  readonly next?: number;
}

export class Api {
  readonly #origin: string;
  readonly #getToken: () => Promise<string>;

  constructor(origin: string, getToken: () => Promise<string>) {
    this.#origin = origin;
    this.#getToken = getToken;
  }

  /**
   * The current branch, or the one that goes through a message, to its newest end;
   * undefined if there is no such thread, or no such message in it.
   */
  async messages(thread_id: string, through?: string): Promise<readonly ListedMessage[] | undefined> {
    const listed: ListedMessage[] = [];
    let before: number | undefined;
    do {
      const page = await this.#page(thread_id, { through, before, limit: MESSAGES - listed.length });
      if (page === undefined) return undefined;
      listed.unshift(...page.messages);
      before = page.next;
    } while (before !== undefined && listed.length < MESSAGES);
    return listed;
  }

  /** Long answers make a page short: there is more before it as long as it says so. */
  async #page(thread_id: string, { through, before, limit }: Part): Promise<Page | undefined> {
    const query = {
      limit,
      steps: true,
      alternatives: true,
      ...(through && { through }),
      ...(before && { before }),
    };
    const response = await this.#get(`/v1/threads/${encodeURIComponent(thread_id)}/messages`, query);
    if (response.status === 404) return undefined;
    const answer: unknown = await response.json();
    if (hasMessages(answer)) return answer;
    throw new Error(`the messages of a thread: answered ${response.status}`);
  }

  /** What a run asks somebody to agree to, where it was too long for a snapshot. */
  async argsOf(run_id: string, wait_id: string): Promise<unknown> {
    const response = await this.#get(`/v1/runs/${encodeURIComponent(run_id)}/journal`, {});
    const journal: unknown = await response.json();
    const asked = eventsIn(journal).find(
      ({ type, payload }) => type === "run_waiting" && payload.wait_id === wait_id,
    );
    if (asked === undefined) throw new Error(`the journal of a run: answered ${response.status}`);
    return asked.payload.args;
  }

  async threads(before: number | undefined): Promise<ThreadPage> {
    const response = await this.#get("/v1/threads", before === undefined ? {} : { before });
    const answer: unknown = await response.json();
    if (hasThreads(answer)) return answer;
    throw new Error(`the list of threads: answered ${response.status}`);
  }

  async #get(path: string, query: Readonly<Record<string, string | number | boolean>>): Promise<Response> {
    const url = new URL(path, this.#origin);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return fetch(url.href, {
      headers: { Authorization: `Bearer ${await this.#getToken()}` },
      signal: AbortSignal.timeout(LOAD_TIMEOUT_MS),
    });
  }
}

interface Part {
  readonly through: string | undefined;
  readonly before: number | undefined;
  readonly limit: number;
}

interface Page {
  readonly messages: readonly ListedMessage[];
  readonly next?: number;
}

function hasMessages(answer: unknown): answer is Page {
  return (
    typeof answer === "object" && answer !== null && "messages" in answer && Array.isArray(answer.messages)
  );
}

interface Recorded {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

function eventsIn(journal: unknown): readonly Recorded[] {
  const found = typeof journal === "object" && journal !== null && "events" in journal && journal.events;
  return Array.isArray(found) ? found : [];
}

function hasThreads(answer: unknown): answer is ThreadPage {
  return (
    typeof answer === "object" && answer !== null && "threads" in answer && Array.isArray(answer.threads)
  );
}
