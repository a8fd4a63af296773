/**
 * What can go wrong in a call of a model. Each failure has one code, and each
 * code one message: nothing that a provider says, and no address or key, can get
 * into it.
 */

import { field } from "../../protocol/pure/json.ts";

interface Kind {
  readonly message: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
}

/** docs/models.md repeats this table, and a test compares them. */
export const FAILURES = {
  model_rate_limited: { message: "the model is asked too often at the moment", retryable: true },
  model_unavailable: { message: "the model cannot be reached at the moment", retryable: true },
  model_no_answer: { message: "the model did not begin to answer in time", retryable: true },
  model_stalled: { message: "the model stopped in the middle of its answer", retryable: true },
  model_timeout: { message: "the model took too long", retryable: true },
  model_stream_cut: { message: "the connection to the model broke off", retryable: true },
  model_quota_exhausted: { message: "the quota of the model is used up", retryable: false },
  model_context_exceeded: { message: "the conversation is too long for the model", retryable: false },
  model_refused: { message: "the model refused the request", retryable: false },
  model_bad_response: { message: "the answer of the model could not be understood", retryable: false },
  model_empty_answer: { message: "the model gave no answer", retryable: true },
  model_filtered: { message: "the model's provider withheld the answer", retryable: false },
  model_failed: { message: "the call of the model failed", retryable: false },
  cancelled: { message: "the run ended", retryable: false },
} as const satisfies Readonly<Record<string, Kind>>;

export type FailureCode = keyof typeof FAILURES;

/** For the operator's log: numbers and names only. */
interface Facts {
  readonly status?: number | undefined;
  readonly provider_code?: string | undefined;
  /** The provider says in words only that the request is too long. */
  readonly too_long?: boolean | undefined;
  readonly retry_after_ms?: number | undefined;
  /** Set where the fault may be ours: to be reported as a bug, and never shown. */
  readonly cause?: unknown;
}

/** Thrown by `Model.stream`; its message may be shown to people. */
export class ModelFailure extends Error {
  override readonly name = "ModelFailure";
  readonly code: FailureCode;
  readonly retryable: boolean;
  /** The provider asked to be left alone for so long. */
  readonly retry_after_ms: number | undefined;
  /** HTTP status, if there was one. */
  readonly status: number | undefined;
  /** The provider's own name for the failure. */
  readonly provider_code: string | undefined;

  constructor(code: FailureCode, { status, provider_code, retry_after_ms, cause }: Facts = {}) {
    super(FAILURES[code].message, cause === undefined ? {} : { cause });
    this.code = code;
    this.retryable = FAILURES[code].retryable;
    this.retry_after_ms = retry_after_ms;
    this.status = status;
    this.provider_code = provider_code;
  }
}

/** The failure that a status of HTTP, or an error object in a stream, stands for. */
export function refusal(facts: Facts): ModelFailure {
  return new ModelFailure(codeOf(facts), facts);
}

function codeOf({ status, provider_code: said = "", too_long = false }: Facts): FailureCode {
  if (status === 402 || /quota|billing/.test(said)) return "model_quota_exhausted";
  if (status === 413 || /context_(length|window|size)/.test(said)) return "model_context_exceeded";
  if (status === 429 || /rate_limit/.test(said)) return "model_rate_limited";
  if (too_long && (status === undefined || status < 500)) return "model_context_exceeded";
  if (status === undefined)
    return /invalid|auth|permission|not_found/.test(said) ? "model_refused" : "model_unavailable";
  // 408 and 409 are what clients of these services try again; below 400 it is a redirect, which is not followed.
  return status >= 500 || status === 408 || status === 409 ? "model_unavailable" : "model_refused";
}

/** Short, and made of letters that cannot be a sentence, an address or a key. */
const CODE = /^[a-z][a-z_.-]{0,63}$/i;

/** The words of OpenAI and vLLM, llama.cpp, Anthropic, Gemini, xAI, Bedrock and Workers AI. */
const TOO_LONG =
  /maximum (context|prompt) length|context (length|window|size)|(prompt|input) is too long|maximum number of tokens allowed/i;

/** Where the words are; they may go on with what the user said. */
const MAX_WORDS_CHARS = 500;

/** Whether a provider's message says that the request is too long: read for this, and neither shown nor kept. */
export function saysTooLong(message: unknown): boolean {
  return typeof message === "string" && TOO_LONG.test(message.slice(0, MAX_WORDS_CHARS));
}

/** What an error object of a provider says, as far as it may be written down. */
export function readError(error: unknown): Pick<Facts, "status" | "provider_code" | "too_long"> {
  const said = ["code", "type", "status"].map((name) => field(error, name));
  return {
    status: said.map(Number).find((number) => number >= 400 && number <= 599),
    provider_code: said.filter((name) => typeof name === "string").find((name) => CODE.test(name)),
    too_long: saysTooLong(field(error, "message") ?? error),
  };
}

/** RFC 9110 §10.2.3: seconds or a date; `retry-after-ms` is what OpenAI and Azure add, and more exact. */
export function retryAfter(headers: { get(name: string): string | null }, now: number): number | undefined {
  const exact = headers.get("retry-after-ms");
  const given = headers.get("retry-after");
  const ms = [
    exact === null ? Number.NaN : Number(exact),
    given === null ? Number.NaN : Number(given) * 1_000,
    given === null ? Number.NaN : Date.parse(given) - now,
  ].find(Number.isFinite);
  return ms === undefined ? undefined : Math.max(0, ms);
}
