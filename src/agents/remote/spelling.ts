/**
 * The several spellings of AG-UI, in one: a message or call is begun, goes on and is
 * ended, each by an event with its id. Chunks stand for all three and may leave
 * everything out that is "as before"; the thoughts of 0.0.x have no ids at all.
 */
import type { AgUiEvent } from "./ag-ui-events.ts";

type Chunk = Extract<AgUiEvent, { type: `${string}_CHUNK` }>;
type Thinking = Extract<AgUiEvent, { type: `THINKING_${string}` }>;
export type PlainEvent = Exclude<AgUiEvent, Chunk | Thinking>;

/** What the chunks of one producer are of: it lasts until that producer says something else. */
interface Open {
  readonly kind: Chunk["type"];
  readonly id: string;
}

/** In 0.0.x one thought is open at a time. */
const THOUGHT = "thinking";

export class Spelling {
  /** By subagent; the agent itself is "". */
  readonly #open = new Map<string, Open>();

  plain(event: AgUiEvent): readonly PlainEvent[] {
    switch (event.type) {
      case "TEXT_MESSAGE_CHUNK":
      case "TOOL_CALL_CHUNK":
      case "REASONING_MESSAGE_CHUNK":
        return this.#chunk(event);
      case "THINKING_TEXT_MESSAGE_START":
        return [...this.#closed(""), { type: "REASONING_MESSAGE_START", messageId: THOUGHT }];
      case "THINKING_TEXT_MESSAGE_CONTENT":
        return [{ type: "REASONING_MESSAGE_CONTENT", messageId: THOUGHT, delta: event.delta }];
      case "THINKING_TEXT_MESSAGE_END":
      case "THINKING_END":
        return [{ type: "REASONING_MESSAGE_END", messageId: THOUGHT }];
      case "THINKING_START":
        return this.#closed("");
      // These say something of the run, not of a producer in it.
      case "RUN_STARTED":
      case "RUN_FINISHED":
      case "RUN_ERROR":
      case "MESSAGES_SNAPSHOT":
        return [...[...this.#open.keys()].flatMap((by) => this.#closed(by)), event];
      // And these nothing of what is being written.
      case "ACTIVITY_SNAPSHOT":
      case "SUBAGENT_STARTED":
        return [event];
      default:
        return [...this.#closed(event.subagentRunId ?? ""), event];
    }
  }

  #chunk(chunk: Chunk): readonly PlainEvent[] {
    const { type } = chunk;
    const said = type === "TOOL_CALL_CHUNK" ? chunk.toolCallId : chunk.messageId;
    const id = said ?? undefined;
    const at = this.#laneOf(chunk, id);
    const open = this.#open.get(at);
    if (open?.kind === type && (id === undefined || id === open.id)) {
      return written(open, chunk.delta, at);
    }
    // Without its name a call cannot be begun; a text or thought can, whatever it is called.
    if (type === "TOOL_CALL_CHUNK" && (id === undefined || !chunk.toolCallName)) return [];
    const begun: Open = { kind: type, id: id ?? "" };
    const before = this.#closed(at);
    this.#open.set(at, begun);
    return [...before, start(chunk, begun.id, at), ...written(begun, chunk.delta, at)];
  }

  /** Where the id is open already; else its producer's; a nameless chunk may be of the only one there is. */
  #laneOf({ type, subagentRunId }: Chunk, id: string | undefined): string {
    const alike = [...this.#open].filter(([, open]) => open.kind === type);
    const holder = id === undefined ? undefined : alike.find(([, open]) => open.id === id);
    if (holder !== undefined) return holder[0];
    const own = subagentRunId ?? "";
    if (id !== undefined || own !== "" || this.#open.get("")?.kind === type) return own;
    return (alike.length === 1 ? alike[0]?.[0] : undefined) ?? own;
  }

  #closed(by: string): readonly PlainEvent[] {
    const open = this.#open.get(by);
    if (open === undefined) return [];
    this.#open.delete(by);
    const { kind, id } = open;
    if (kind === "TEXT_MESSAGE_CHUNK") return [{ type: "TEXT_MESSAGE_END", messageId: id }];
    if (kind === "TOOL_CALL_CHUNK") return [{ type: "TOOL_CALL_END", toolCallId: id }];
    return [{ type: "REASONING_MESSAGE_END", messageId: id }];
  }
}

function start(chunk: Chunk, id: string, by: string): PlainEvent {
  const subagentRunId = by === "" ? undefined : by;
  switch (chunk.type) {
    case "TEXT_MESSAGE_CHUNK":
      return { type: "TEXT_MESSAGE_START", messageId: id, role: chunk.role, subagentRunId };
    case "TOOL_CALL_CHUNK": {
      const toolCallName = chunk.toolCallName ?? "";
      return { type: "TOOL_CALL_START", toolCallId: id, toolCallName, subagentRunId };
    }
    case "REASONING_MESSAGE_CHUNK":
      return { type: "REASONING_MESSAGE_START", messageId: id, subagentRunId };
  }
}

function written({ kind, id }: Open, said: string | null | undefined, by: string): readonly PlainEvent[] {
  const delta = said ?? "";
  if (delta === "") return [];
  const subagentRunId = by === "" ? undefined : by;
  if (kind === "TEXT_MESSAGE_CHUNK")
    return [{ type: "TEXT_MESSAGE_CONTENT", messageId: id, delta, subagentRunId }];
  if (kind === "TOOL_CALL_CHUNK") return [{ type: "TOOL_CALL_ARGS", toolCallId: id, delta, subagentRunId }];
  return [{ type: "REASONING_MESSAGE_CONTENT", messageId: id, delta, subagentRunId }];
}
