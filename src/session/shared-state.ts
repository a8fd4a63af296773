/**
 * The user's shared state: a JSON document that every tab, and every agent, may
 * read and patch. It has a version, one more with each patch, and the last
 * patches are kept, so that who was away gets what it missed.
 */
import * as z from "zod/mini";
import type { ToolOutcome } from "../agents/tool.ts";
import { KEPT_PATCHES, MAX_STATE_BYTES } from "../protocol/limits.ts";
import { unsafe } from "../protocol/parse.ts";
import { fitsBytes } from "../protocol/primitives.ts";
import { applyPatch, type Patch, type PatchFault } from "../protocol/pure/json-patch.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { patch as patchSchema } from "../protocol/shared.ts";
import type { StatePatch } from "../protocol/stream.ts";
import { readPosition } from "./resume.ts";
import { integer, text } from "./rows.ts";
import type { Storage } from "./storage.ts";
import type { Transaction } from "./transaction.ts";

const stateRow = z.object({
  version: z.number(),
  /** When it was first changed, milliseconds since the epoch. */
  begun: z.number(),
  document: z.unknown(),
});

export interface Shared {
  readonly version: number;
  readonly document: unknown;
}

const NOTHING: Shared = { version: 0, document: {} };

export class SharedState {
  readonly #storage: Storage;
  #version: number;

  constructor(storage: Storage) {
    this.#storage = storage;
    const [row] = storage.read(
      "SELECT json_extract(value, '$.version') AS version FROM meta WHERE key = 'state'",
    );
    this.#version = row === undefined ? 0 : integer(row, "version");
  }

  /** Of the newest committed state; 0 if there is none. */
  get version(): number {
    return this.#version;
  }

  /** When it was first changed; undefined if it never was. */
  begun(): number | undefined {
    return this.#row()?.begun;
  }

  /** Inside a transaction: as this transaction has made it. */
  read(): Shared {
    const { version, document } = this.#row() ?? NOTHING;
    return { version, document };
  }

  /** The new version, or why there is none; then nothing was written. Only inside a transaction. */
  patch(tx: Transaction, patch: Patch): Result<number> {
    const row = this.#row();
    const before = row ?? NOTHING;
    const patched = applyPatch(before.document, patch);
    if (!patched.ok) return refusePatch(patched.index, patched.fault, before);
    const version = before.version + 1;
    const value = JSON.stringify({ version, begun: row?.begun ?? tx.now, document: patched.document });
    const refused = refuseDocument(patched.document);
    if (refused !== undefined) return refused;
    this.#write(version, value, patch);
    tx.state_version = version;
    return ok(version);
  }

  /** After a commit: memory follows what was written. */
  committed({ state_version }: Transaction): void {
    if (state_version !== undefined) this.#version = state_version;
  }

  /** The version a client says it has; undefined if there is no such version, or it does not say. */
  known(said: string | undefined): number | undefined {
    const version = readPosition(said ?? "");
    return version === undefined || version > this.#version ? undefined : version;
  }

  /**
   * What leads from `version` to the newest: the patches in between, or, if they
   * are too many or too large or nobody knows the version, the whole document.
   */
  since(version: number | undefined): StatePatch[] {
    if (version === this.#version || this.#version === 0) return [];
    const missing = version === undefined ? [] : this.#patchesAfter(version);
    if (missing.length > 0) return missing;
    const whole = this.read();
    const patch = [{ op: "replace", path: "", value: whole.document } as const];
    return [statePatch(version ?? 0, whole.version, patch)];
  }

  /** None if they are not all kept, or come to more than the document may have. */
  #patchesAfter(version: number): StatePatch[] {
    const [sum] = this.#storage.read(
      "SELECT COUNT(*) AS count, COALESCE(SUM(LENGTH(CAST(patch AS BLOB))), 0) AS bytes FROM patches WHERE version > ?",
      version,
    );
    const complete = sum !== undefined && integer(sum, "count") === this.#version - version;
    if (!complete || integer(sum, "bytes") > MAX_STATE_BYTES) return [];
    return this.#storage
      .read("SELECT version, patch FROM patches WHERE version > ? ORDER BY version", version)
      .map((row) => {
        const made = integer(row, "version");
        return statePatch(made - 1, made, patchSchema.parse(JSON.parse(text(row, "patch"))));
      });
  }

  #row() {
    const [row] = this.#storage.read("SELECT value FROM meta WHERE key = 'state'");
    return row === undefined ? undefined : stateRow.parse(JSON.parse(text(row, "value")));
  }

  #write(version: number, value: string, patch: Patch): void {
    const storage = this.#storage;
    storage.need("patches");
    storage.write(
      "INSERT INTO meta (key, value) VALUES ('state', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      value,
    );
    storage.write("INSERT INTO patches (version, patch) VALUES (?, ?)", version, JSON.stringify(patch));
    storage.write("DELETE FROM patches WHERE version <= ?", version - KEPT_PATCHES);
  }
}

/** What an agent is told: it works on the state as it is, whatever version that has. */
export function consult(shared: SharedState, tx: Transaction, patch: Patch | undefined): ToolOutcome {
  if (patch === undefined) return { status: "ok", result: shared.read() };
  const made = shared.patch(tx, patch);
  if (made.ok) return { status: "ok", result: { version: made.value } };
  const { code, message } = made.refusal;
  return { status: "error", error: { code, message } };
}

function statePatch(
  base_version: number,
  version: number,
  patch: StatePatch["payload"]["patch"],
): StatePatch {
  return { type: "state_patch", payload: { base_version, version, patch } };
}

/** Somebody else has been faster, or it is not what the client took it for: both are mended by looking at it as it is. */
export function stateConflict(field: string, { version, document }: Shared) {
  return refuse("conflict", `the shared state has version ${version}`, {
    field,
    details: { version, document },
  });
}

function refusePatch(index: number, fault: PatchFault, shared: Shared) {
  const operation = `payload.patch.${index}`;
  if (fault.reason === "test") return stateConflict(operation, shared);
  const field = fault.member === undefined ? operation : `${operation}.${fault.member}`;
  const code = fault.reason === "too_large" ? "too_large" : "invalid_payload";
  return refuse(code, `${field} ${fault.message}`, { field, ...limitOf(fault) });
}

function limitOf({ limit }: PatchFault) {
  return limit === undefined ? {} : { limit };
}

/** What the patch has made must be as harmless as a frame has to be. */
function refuseDocument(document: unknown) {
  if (!fitsBytes(JSON.stringify(document), MAX_STATE_BYTES)) {
    const message = `the shared state may have ${MAX_STATE_BYTES} bytes`;
    return refuse("too_large", message, { field: "payload.patch", limit: MAX_STATE_BYTES });
  }
  const found = unsafe(document);
  return found && { ...found, refusal: { ...found.refusal, field: "payload.patch" } };
}
