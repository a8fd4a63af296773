/**
 * JSON Patch (RFC 6902). Server and clients apply the same patches with the same
 * code, so that they come to the same document. Nothing is changed in place, and
 * a patch is applied whole or not at all. Why this is no library:
 * docs/decisions/0015-json-patch.md.
 */
import {
  addAt,
  MAX_NAMES,
  namesIn,
  type Path,
  removeAt,
  replaceAt,
  sameJson,
  valueAt,
} from "./json-pointer.ts";

export const PATCH_OPS = ["add", "remove", "replace", "move", "copy", "test"] as const;

export interface PatchOperation {
  readonly op: (typeof PATCH_OPS)[number];
  readonly path: string;
  /** Of `move` and `copy`. */
  readonly from?: string | undefined;
  /** Of `add`, `replace` and `test`. */
  readonly value?: unknown;
}

export type Patch = readonly PatchOperation[];

/** Why an operation cannot be carried out, and what to say of it. */
export interface PatchFault {
  readonly reason: "test" | "too_large" | "invalid";
  /** The member of the operation that is wrong, if it is one. */
  readonly member?: "path" | "from" | "value";
  readonly message: string;
  readonly limit?: number;
}

export type Patched =
  | { readonly ok: true; readonly document: unknown }
  | { readonly ok: false; readonly index: number; readonly fault: PatchFault };

/** Copying what was copied doubles it each time: all copies of a patch together have at most so many characters as JSON. */
export const MAX_COPIED_CHARS = 64 * 1024;

export function applyPatch(document: unknown, patch: Patch): Patched {
  const work = new Work(document);
  for (const [index, operation] of patch.entries()) {
    const fault = work.perform(operation);
    if (fault !== undefined) return { ok: false, index, fault };
  }
  return { ok: true, document: work.document };
}

/** True of a patch that leads to the same document whatever was there before. */
export function replacesAll([first]: Patch): boolean {
  return first?.op === "replace" && first.path === "";
}

class Work {
  document: unknown;
  #copied = 0;

  constructor(document: unknown) {
    this.document = document;
  }

  /** Carries one operation out, or says why not. */
  perform({ op, path: pointer, from, value }: PatchOperation): PatchFault | undefined {
    const path = namesIn(pointer);
    if (path === undefined) return badPointer("path");
    switch (op) {
      case "add":
        return value === undefined ? required("value") : this.#become(addAt(this.document, path, value));
      case "remove":
        return this.#become(removeAt(this.document, path));
      case "replace":
        return value === undefined ? required("value") : this.#become(replaceAt(this.document, path, value));
      case "test":
        return value === undefined ? required("value") : this.#test(path, value);
      case "move":
      case "copy":
        return from === undefined ? required("from") : this.#transfer(op, from, path);
    }
  }

  #transfer(op: "move" | "copy", pointer: string, path: Path): PatchFault | undefined {
    const from = namesIn(pointer);
    if (from === undefined) return badPointer("from");
    const value = valueAt(this.document, from);
    if (value === undefined) return nowhere("from");
    if (op === "copy") return this.#tooMuch(value) ?? this.#become(addAt(this.document, path, value));
    const same = from.every((name, index) => name === path[index]);
    if (same && from.length === path.length) return undefined;
    if (same) return invalid("path", "nothing can be moved into itself");
    return this.#become(addAt(removeAt(this.document, from), path, value));
  }

  #test(path: Path, value: unknown): PatchFault | undefined {
    const found = valueAt(this.document, path);
    if (found !== undefined && sameJson(found, value)) return undefined;
    return { reason: "test", message: "fails" };
  }

  #tooMuch(value: unknown): PatchFault | undefined {
    this.#copied += JSON.stringify(value).length;
    if (this.#copied <= MAX_COPIED_CHARS) return undefined;
    const message = `may come to ${MAX_COPIED_CHARS} characters together with all other copies`;
    return { reason: "too_large", member: "from", message, limit: MAX_COPIED_CHARS };
  }

  #become(document: unknown): PatchFault | undefined {
    if (document === undefined) return nowhere("path");
    this.document = document;
    return undefined;
  }
}

function required(member: "from" | "value"): PatchFault {
  return invalid(member, "is required");
}

function nowhere(member: "path" | "from"): PatchFault {
  return invalid(member, "leads nowhere");
}

function badPointer(member: "path" | "from"): PatchFault {
  const fault = invalid(
    member,
    `must be a JSON Pointer of at most ${MAX_NAMES} names, none of a prototype's`,
  );
  return { ...fault, limit: MAX_NAMES };
}

function invalid(member: "path" | "from" | "value", message: string): PatchFault {
  return { reason: "invalid", member, message };
}
