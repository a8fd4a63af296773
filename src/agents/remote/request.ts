/** What a remote agent is asked, and whether it answers at all. */
import type { Problem } from "./endings.ts";
import type { SoFar } from "./so-far.ts";
import { type Clock, within } from "./within.ts";

export interface RemoteMessage {
  readonly id: string;
  readonly role: "user" | "assistant";
  readonly content: string;
}

export interface RemoteInput {
  /** Unique over all users: an agent keeps what it remembers of a conversation under this id. */
  readonly thread_id: string;
  readonly run_id: string;
  /** The whole conversation, the question last. */
  readonly messages: readonly RemoteMessage[];
  readonly state?: unknown;
  readonly forwarded_props?: unknown;
  /** What it had asked, if it goes on. */
  readonly resume?: readonly Answered[];
  /** What the run had come to before; the agent knows that, and is not told. */
  readonly so_far?: SoFar;
}

/** An answer to something that an agent has asked. */
export interface Answered {
  readonly interruptId: string;
  readonly status: "resolved" | "cancelled";
  readonly payload?: unknown;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RemoteRequest {
  readonly url: string;
  /** Such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly input: RemoteInput;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

export type Reply =
  | { readonly ok: true; readonly body: ReadableStream<Uint8Array> }
  | { readonly ok: false; readonly problem: Problem }
  | { readonly ok: false; readonly problem?: undefined };

/** @param signal ends the waiting: then there is neither an answer nor a problem */
export async function ask(request: RemoteRequest, headers_ms: number, signal: AbortSignal): Promise<Reply> {
  const outcome = await within(asked(request, signal), headers_ms, request.clock, signal);
  switch (outcome.is) {
    case "aborted":
      return { ok: false };
    case "late":
      return { ok: false, problem: problem("agent_timeout", "the agent did not answer in time", true) };
    case "failed":
      return { ok: false, problem: problem("agent_unreachable", "the agent could not be reached", true) };
    case "done":
      return await judged(outcome.value);
  }
}

/**
 * Agents of 0.0.x in Python refuse what they do not know, `protocolVersion` among it:
 * they are asked once more without it. Who refuses a request has done nothing yet.
 */
async function asked(request: RemoteRequest, signal: AbortSignal): Promise<Response> {
  const { protocolVersion, ...plain } = inTheirWords(request.input);
  const response = await post(request, { ...plain, protocolVersion }, signal);
  if (response.status !== 400 && response.status !== 422) return response;
  await response.body?.cancel().catch(() => undefined);
  return await post(request, plain, signal);
}

async function post(
  { url, headers, fetch }: RemoteRequest,
  body: object,
  signal: AbortSignal,
): Promise<Response> {
  return await fetch(url, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify(body),
    // Whoever is asked is who was configured, and nobody else is handed what was said.
    redirect: "manual",
    signal,
  });
}

/** `RunAgentInput`. Without `protocolVersion` an agent of 1.0 may take us for one of 0.0.x. */
function inTheirWords({ thread_id, run_id, messages, state, forwarded_props, resume }: RemoteInput) {
  return {
    threadId: thread_id,
    runId: run_id,
    protocolVersion: "1.0",
    state: state ?? {},
    messages,
    tools: [],
    context: [],
    forwardedProps: forwarded_props ?? {},
    ...(resume && { resume }),
  };
}

async function judged(response: Response): Promise<Reply> {
  const { body } = response;
  const wrong = problemOf(response);
  if (wrong === undefined && body !== null) return { ok: true, body };
  await body?.cancel().catch(() => undefined);
  return { ok: false, problem: wrong ?? NO_STREAM };
}

function problemOf({ status, ok, headers }: Response): Problem | undefined {
  if (status >= 300 && status < 400) {
    return problem("agent_redirected", "the agent is somewhere else: redirects are not followed", false);
  }
  if (!ok) {
    const later = status >= 500 || status === 429 || status === 408;
    return problem("agent_http_error", `the agent answered with status ${status}`, later);
  }
  const kind = headers.get("Content-Type") ?? "";
  return /^text\/event-stream\s*(;|$)/i.test(kind.trim()) ? undefined : NO_STREAM;
}

function problem(code: string, message: string, retryable: boolean): Problem {
  return { status: "failed", code, message, retryable };
}

const NO_STREAM = problem("agent_bad_response", "the agent did not answer with a stream of events", false);
