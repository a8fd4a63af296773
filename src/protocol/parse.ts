/** Text of a frame → a typed frame, or a refusal that names the field and the limit. */
import type * as z from "zod/mini";
import { type ClientFrame, COMMANDS, type EffectCommand, isCommandType } from "./commands.ts";
import { MAX_DEPTH } from "./limits.ts";
import { fitsBytes, MAX_ID_CHARS } from "./primitives.ts";
import { MAX_FRAME_BYTES } from "./pure/constants.ts";
import { isRecord, parseJson } from "./pure/json.ts";
import { FORBIDDEN_KEYS } from "./pure/json-pointer.ts";
import { ok, type Refusal, type Result, refuse } from "./result.ts";

export type ParsedFrame =
  | { readonly ok: true; readonly frame: ClientFrame }
  /** `reply_to` is the frame's `id`, if it had a usable one. */
  | { readonly ok: false; readonly refusal: Refusal; readonly reply_to?: string };

/** @param text the frame as it came; never part of a message to anyone */
export function parseClientFrame(text: string): ParsedFrame {
  if (!fitsBytes(text, MAX_FRAME_BYTES)) {
    return refuse("too_large", `a frame may have ${MAX_FRAME_BYTES} bytes`, {
      field: "frame",
      limit: MAX_FRAME_BYTES,
    });
  }
  const value = parseJson(text);
  if (!isRecord(value)) return refuse("bad_json", "a frame is one JSON object");
  const parsed = unsafe(value) ?? typed(value);
  if (parsed.ok || !usableId(value.id)) return parsed;
  return { ...parsed, reply_to: value.id };
}

/**
 * Refuses what could hurt before any schema looks at it.
 * @param whole what the value is called where it is wrong as a whole
 */
export function unsafe(value: unknown, whole = "frame"): { ok: false; refusal: Refusal } | undefined {
  const found = inspect(value, "", 1);
  if (found === undefined) return undefined;
  if (found.reason === "depth") {
    return refuse("invalid_payload", `nesting is limited to ${MAX_DEPTH} levels`, {
      field: found.field || whole,
      limit: MAX_DEPTH,
    });
  }
  return refuse("invalid_payload", "a key of this name is not allowed", { field: found.field });
}

interface Found {
  readonly reason: "depth" | "key";
  readonly field: string;
}

/** Field paths stop at the first level inside `payload`: deeper names are the sender's own, and input is not echoed. */
function inspect(value: unknown, path: string, depth: number): Found | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (depth > MAX_DEPTH) return { reason: "depth", field: path };
  for (const [key, inner] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key)) return { reason: "key", field: path === "" ? key : `${path}.${key}` };
    const found = inspect(inner, depth === 1 && key === "payload" ? "payload" : path, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A command that did not come as a frame: its payload was the body of a request. */
export function parseCommand(
  type: EffectCommand["type"],
  id: string,
  payload: unknown,
): Result<EffectCommand> {
  const frame = { type, id, payload };
  const bad = unsafe(frame);
  if (bad !== undefined) return { ok: false, refusal: asBody(bad.refusal) };
  const parsed = COMMANDS[type].safeParse(frame, { reportInput: true });
  return parsed.success ? ok(parsed.data) : { ok: false, refusal: asBody(refusalOf(parsed.error)) };
}

/** Names what is wrong as a part of the body, where there is no frame around it. */
export function asBody({ field, message, ...rest }: Refusal): Refusal {
  const plain = (text: string) => text.replace(/^payload\./, "").replace(/^payload\b/, "body");
  const about = field === undefined ? {} : { field: plain(field) };
  return { ...rest, message: plain(message), ...about };
}

function typed(value: Readonly<Record<string, unknown>>): ParsedFrame {
  const type: unknown = value.type;
  if (typeof type !== "string") {
    return refuse("invalid_payload", "type is required and is a string", { field: "type" });
  }
  if (!isCommandType(type)) {
    return refuse("unknown_type", `type is none of ${Object.keys(COMMANDS).join(", ")}`, { field: "type" });
  }
  const parsed = COMMANDS[type].safeParse(value, { reportInput: true });
  if (parsed.success) return { ok: true, frame: parsed.data };
  return { ok: false, refusal: refusalOf(parsed.error) };
}

/**
 * @param error of a parse that was told to report its input, which is looked at but not shown
 * @param whole what the value is called where it is wrong as a whole
 */
export function refusalOf(error: z.core.$ZodError, whole = "frame"): Refusal {
  const issue = firstOf(error);
  const field = (issue?.path ?? []).map(String).join(".") || whole;
  const bytes = issue?.code === "custom" ? issue.params?.limit_bytes : undefined;
  if (typeof bytes === "number") {
    return refuse("too_large", `${field} may have ${bytes} bytes`, { field, limit: bytes }).refusal;
  }
  const limit = issue?.code === "too_big" || issue?.code === "too_small" ? limitOf(issue) : {};
  return refuse("invalid_payload", `${field} ${rule(issue)}`, { field, ...limit }).refusal;
}

/** That a number is beyond all safe integers is found before that it is beyond its own limit, which says more. */
function firstOf({ issues }: z.core.$ZodError): z.core.$ZodIssue | undefined {
  const [first, second] = issues;
  const again = second?.code === first?.code && `${second?.path}` === `${first?.path}`;
  return again ? second : first;
}

function limitOf(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall): { limit?: number } {
  return { limit: Number(issue.code === "too_big" ? issue.maximum : issue.minimum) };
}

function rule(issue: z.core.$ZodIssue | undefined): string {
  switch (issue?.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : `must be of type ${issue.expected}`;
    case "too_small":
      return issue.origin === "string" ? "must not be empty" : `must be at least ${issue.minimum}`;
    case "too_big":
      return issue.origin === "string"
        ? `may have ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    default:
      return "is not valid";
  }
}

function usableId(id: unknown): id is string {
  return typeof id === "string" && id.length > 0 && id.length <= MAX_ID_CHARS;
}
