/**
 * What is told of a run that the view does not keep: how its waits ended, how far
 * its tools are and what it has cost. As this page saw it: after
 * a reload there is only what a run still waits for.
 */
import type { Channels, Wait } from "../client/index.ts";

type Event = Channels["event"];
type EventOf<Type extends Event["type"]> = Extract<Event, { readonly type: Type }>;
type Snapshot = Extract<Channels["frame"], { readonly type: "state_snapshot" }>;
type Progress = Extract<Channels["frame"], { readonly type: "tool_progress" }>;

type Decision = EventOf<"run_resumed">["payload"]["decision"];

/** One entry for each model, in the words of the provider. */
export type Usage = Readonly<Record<string, unknown>>;

export interface SeenWait {
  readonly wait: Wait;
  /** Absent while it is open; `unanswered` if the run ended first. */
  readonly outcome?: Decision | "unanswered";
}

export interface RunNote {
  /** In the order in which they began. */
  readonly waits: readonly SeenWait[];
  /** The newest word of each tool at work, by the id of its call. */
  readonly progress: ReadonlyMap<string, string>;
  readonly usage?: readonly Usage[];
}

const BLANK: RunNote = { waits: [], progress: new Map() };

export class RunNotes {
  readonly #notes = new Map<string, RunNote>();

  /** Another object after each change. */
  of(run_id: string | undefined): RunNote | undefined {
    return this.#notes.get(run_id ?? "");
  }

  /** @param event each one of the log once, in order */
  event(event: Event): void {
    switch (event.type) {
      case "run_waiting":
        return this.#change(event.payload, ({ waits }) => ({ waits: [...waits, { wait: event.payload }] }));
      case "run_resumed": {
        const { wait_id, decision } = event.payload;
        return this.#change(event.payload, ({ waits }) => ({ waits: ended(waits, wait_id, decision) }));
      }
      case "tool_completed":
        return this.#change(event.payload, ({ progress }) => ({
          progress: without(progress, event.payload.tool_call_id),
        }));
      case "agent_completed":
        return this.#completed(event);
    }
  }

  progress({ payload }: Progress): void {
    const { tool_call_id, note } = payload;
    this.#change(payload, ({ progress }) => ({ progress: new Map(progress).set(tool_call_id, note) }));
  }

  /** How a wait ended that the snapshot does not have any more is not known: it is shown no longer. */
  snapshot({ payload }: Snapshot): void {
    const open = new Map(payload.runs.map(({ run_id, waits = [] }) => [run_id, waits]));
    for (const run_id of new Set([...this.#notes.keys(), ...open.keys()])) {
      this.#change({ run_id }, ({ waits }) => ({
        waits: [
          ...waits.filter(({ outcome }) => outcome !== undefined),
          ...(open.get(run_id) ?? []).map((wait) => ({ wait })),
        ],
        progress: BLANK.progress,
      }));
    }
  }

  #completed({ payload }: EventOf<"agent_completed">): void {
    this.#change(payload, ({ waits }) => ({
      waits: waits.map((seen) => (seen.outcome === undefined ? { ...seen, outcome: "unanswered" } : seen)),
      progress: BLANK.progress,
      usage: payload.usage,
    }));
  }

  #change({ run_id }: { readonly run_id: string }, change: (note: RunNote) => Partial<RunNote>): void {
    const note = this.#notes.get(run_id) ?? BLANK;
    this.#notes.set(run_id, { ...note, ...change(note) });
  }
}

function ended(waits: readonly SeenWait[], wait_id: string, outcome: Decision): SeenWait[] {
  return waits.map((seen) => (seen.wait.wait_id === wait_id ? { ...seen, outcome } : seen));
}

function without(progress: ReadonlyMap<string, string>, tool_call_id: string): ReadonlyMap<string, string> {
  const left = new Map(progress);
  return left.delete(tool_call_id) ? left : progress;
}
