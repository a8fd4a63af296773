/** The small schemas that frames are made of. */
import * as z from "zod/mini";

// The JIT of zod needs code generation, which the Workers runtime forbids; asking for it costs a caught exception.
z.config({ jitless: true });

/** A client-chosen id: command ids, client ids, thread ids. */
export const MAX_ID_CHARS = 64;

export const id = z.string().check(z.minLength(1), z.maxLength(MAX_ID_CHARS));

/** ISO 8601 in UTC. */
export const timestamp = z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));

/** A position in a user's log; 0 is before the first event. */
export const position = z.int().check(z.gte(0));

/** The seq of an event; the first is 1. */
export const seq = z.int().check(z.gte(1));

export const count = z.int().check(z.gte(0));

/** Of an answer: good or not. */
export const rating = z.union([z.literal(1), z.literal(-1)]);

/** Any JSON object. */
export const jsonObject = z.looseObject({});

/** Who said something in the user's stead: the subject of the token it came with. */
export const author = z.object({ kind: z.literal("service"), name: z.string() });

const encoder = new TextEncoder();

/** Length of `text` in UTF-8 bytes: what every size limit counts. */
export function utf8Length(text: string): number {
  return encoder.encode(text).byteLength;
}

/** True if `text` is at most `limit` UTF-8 bytes long; encodes only when its length in code units does not decide. */
export function fitsBytes(text: string, limit: number): boolean {
  if (text.length * 3 <= limit) return true;
  return text.length <= limit && utf8Length(text) <= limit;
}

/** The longest beginning of `text` that has at most `limit` UTF-8 bytes. */
export function beginning(text: string, limit: number): string {
  if (fitsBytes(text, limit)) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(limit)).read);
}

/** How much of a text that goes on can be shown: a surrogate pair is never split, its first half waits for the second. */
export function wholeLength(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? text.length - 1 : text.length;
}

/** A schema check that carries its limit to the refusal (`too_large`, with `limit`). */
export function maxBytes(limit: number) {
  return z.refine<string>((text) => fitsBytes(text, limit), { params: { limit_bytes: limit } });
}

/** `T` all the way down, for data that travels. */
export type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;
