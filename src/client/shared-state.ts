/**
 * The user's shared state, kept up to date: one JSON document for all tabs and
 * agents. An entry of its own, so that who does not need it does not load it.
 */
import { isRecord } from "../protocol/pure/json.ts";
import { applyPatch, type Patch, replacesAll } from "../protocol/pure/json-patch.ts";
import type { ErrorFrame } from "../protocol/replies.ts";
import type { ServerFrame } from "../protocol/server-frames.ts";
import type { StatePatch } from "../protocol/stream.ts";
import type { Client } from "./client.ts";
import { Emitter, type Listener } from "./emitter.ts";

export type { Patch, PatchOperation } from "../protocol/pure/json-patch.ts";

/** Makes a patch of the document as it is; undefined: there is nothing to change any more. */
export type MakePatch = (document: unknown) => Patch | undefined;

/** Others may be faster this often before an update is given up. */
const DEFAULT_TRIES = 5;

type Connected = Pick<Client, "on" | "command" | "resync">;

/**
 * Follows the shared state of a client; call it before the first frame comes, right after `connect`.
 *
 *     const state = sharedState(client);
 *     state.onChange(({ document }) => render(document));
 *     await state.update(() => [{ op: "add", path: "/theme", value: "dark" }]);
 */
export function sharedState(client: Connected): SharedState {
  return new SharedState(client);
}

export class SharedState {
  readonly #client: Connected;
  readonly #emitter = new Emitter<{ change: SharedState }>();
  readonly #stop: () => void;
  #document: unknown = {};
  #version = 0;
  /** A snapshot was asked for: what comes before it may not fit. */
  #lost = false;
  /** Of the update before: one at a time, or they would conflict with each other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(client: Connected) {
    this.#client = client;
    this.#stop = client.on("frame", (frame) => this.#take(frame));
  }

  /** Never changed in place; what is in it nobody has checked. */
  get document(): unknown {
    return this.#document;
  }

  get version(): number {
    return this.#version;
  }

  /** Calls `listener` after each change; returns the function that stops it. */
  onChange(listener: Listener<SharedState>): () => void {
    return this.#emitter.on("change", listener);
  }

  /**
   * Changes the state; resolves with its new version once it is stored. If somebody
   * else was faster, `make` is called again with what they made of it.
   *
   *     await state.update((document) => [{ op: "add", path: "/drafts/-", value: text }]);
   *
   * Rejects as `client.command` does; with `conflict` if others were faster `tries` times.
   */
  update(make: MakePatch, tries = DEFAULT_TRIES): Promise<number> {
    const turn = this.#turn.then(() => this.#update(make, tries));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Follows the state no longer. */
  close(): void {
    this.#stop();
  }

  async #update(make: MakePatch, tries: number): Promise<number> {
    const base_version = this.#version;
    const patch = make(this.#document);
    if (patch === undefined) return base_version;
    try {
      const ack = await this.#client.command({ type: "state_update", payload: { base_version, patch } });
      const version = "version" in ack ? (ack.version ?? base_version) : base_version;
      // The patch itself is still on its way to us, like to everyone else.
      if (version > this.#version) this.#apply({ base_version, version, patch });
      return version;
    } catch (error) {
      // By its fields: the client may come from another bundle.
      if (!isRecord(error) || error.code !== "conflict" || tries <= 1) throw error;
      return await this.#update(make, tries - 1);
    }
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case "state_snapshot":
        return this.#become(frame.payload.version, frame.payload.shared);
      case "state_patch":
        return this.#apply(frame.payload);
      case "error":
        return this.#learn(frame);
      default:
        return;
    }
  }

  #apply({ base_version, version, patch }: StatePatch["payload"]): void {
    if (version <= this.#version) return;
    const whole = replacesAll(patch);
    if (this.#lost && !whole) return;
    const fits = whole || base_version === this.#version;
    const patched = fits ? applyPatch(this.#document, patch) : undefined;
    if (patched?.ok) this.#become(version, patched.document);
    else this.#resync();
  }

  /** A conflict says how things are. */
  #learn({ payload }: ErrorFrame): void {
    const { code, details } = payload;
    const version = details?.version;
    if (code !== "conflict" || typeof version !== "number" || version <= this.#version) return;
    this.#become(version, details?.document);
  }

  #become(version: number, document: unknown): void {
    this.#lost = false;
    this.#version = version;
    this.#document = document;
    this.#emitter.emit("change", this);
  }

  /** If it fails, the connection has, and the next one begins with what is needed. */
  #resync(): void {
    this.#lost = true;
    this.#client.resync().catch(() => {
      this.#lost = false;
    });
  }
}
