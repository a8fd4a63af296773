/**
 * JSON Pointers (RFC 6901): reading them, and what a document becomes where one
 * points. Only own properties exist, an index is plain digits, and documents are
 * never changed in place. `undefined`, which JSON does not have, is "no such place".
 */
import { isRecord } from "./json.ts";

/** The names in a pointer, from the outermost. */
export type Path = readonly string[];

/** Names in one pointer; as deep as a frame may be. */
export const MAX_NAMES = 32;

/** Keys that could reach a prototype in a careless merge; nobody needs them. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Undefined for what is no pointer, is too deep, or names a prototype. */
export function namesIn(pointer: string): Path | undefined {
  if (!/^(?:\/(?:[^~/]|~[01])*)*$/.test(pointer)) return undefined;
  const names = pointer
    .split("/")
    .slice(1)
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.length > MAX_NAMES || names.some((name) => FORBIDDEN_KEYS.has(name)) ? undefined : names;
}

export function valueAt(document: unknown, path: Path): unknown {
  return path.reduce(member, document);
}

/** With `value` there: inserted into an array, or the new value of a key. */
export function addAt(document: unknown, path: Path, value: unknown): unknown {
  return edited(document, path, value, (holder, name) => {
    if (!Array.isArray(holder)) return withMember(holder, name, value);
    const index = name === "-" ? holder.length : indexOf(name);
    return index > holder.length ? undefined : [...holder.slice(0, index), value, ...holder.slice(index)];
  });
}

export function replaceAt(document: unknown, path: Path, value: unknown): unknown {
  return edited(document, path, value, (holder, name) =>
    member(holder, name) === undefined ? undefined : withMember(holder, name, value),
  );
}

/** A document cannot be removed, only what is in it. */
export function removeAt(document: unknown, path: Path): unknown {
  return edited(document, path, undefined, (holder, name) => {
    if (member(holder, name) === undefined) return undefined;
    if (Array.isArray(holder)) return holder.filter((_, index) => index !== Number(name));
    return Object.fromEntries(Object.entries(Object(holder)).filter(([key]) => key !== name));
  });
}

/** Whether two values are the same JSON, whatever the order of their keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
}

/** `document` with what `change` makes of the holder of its last name; `whole` if the path names nothing. */
function edited(
  document: unknown,
  [name, ...rest]: Path,
  whole: unknown,
  change: (holder: unknown, name: string) => unknown,
): unknown {
  if (name === undefined) return whole;
  if (rest.length === 0) return change(document, name);
  const inner = edited(member(document, name), rest, whole, change);
  return inner === undefined ? undefined : withMember(document, name, inner);
}

function member(holder: unknown, name: string): unknown {
  if (Array.isArray(holder)) return holder[indexOf(name)];
  return isRecord(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined;
}

function withMember(holder: unknown, name: string, value: unknown): unknown {
  if (Array.isArray(holder)) return holder.map((item, index) => (index === Number(name) ? value : item));
  return isRecord(holder) ? { ...holder, [name]: value } : undefined;
}

/** Infinity for what is not an index: "01", "-1", "1e0" and "-" are none. */
function indexOf(name: string): number {
  return /^(?:0|[1-9]\d*)$/.test(name) ? Number(name) : Number.POSITIVE_INFINITY;
}
