/**
 * Tool calls as providers send them: several at once, in pieces, by index. What
 * a piece leaves out differs between servers, so the rules here say which call
 * it belongs to when the index or the id is missing or wrong.
 */
import * as z from "zod/mini";
import { ModelFailure } from "./failure.ts";
import type { RequestedCall } from "./model.ts";

/** More than any model asks for at once: beyond it something has gone wrong. */
export const MAX_CALLS = 128;

const said = z.object({
  name: z.nullish(z.string()),
  /** Text that is JSON in the end; some servers send the object. */
  arguments: z.optional(z.unknown()),
});

/** Some servers number their calls in texts, others name them by numbers. */
const textOrNumber = z.nullish(z.union([z.string(), z.number()]));

export const toolCallPiece = z.object({
  ...said.shape,
  index: textOrNumber,
  id: textOrNumber,
  /** Where OpenAI and most others put name and arguments; Workers AI's older models do not. */
  function: z.nullish(said),
});

export type ToolCallPiece = z.infer<typeof toolCallPiece>;

/** Which call a piece says that it is of. */
interface Place {
  readonly index: number | undefined;
  readonly id: string;
}

interface Open {
  readonly index: number | undefined;
  readonly id: string;
  name: string;
  args: string;
}

export class ToolCalls {
  readonly #calls: Open[] = [];

  /** How much longer the calls are by it; undefined if the piece says nothing. UTF-16 code units. */
  add(piece: ToolCallPiece): number | undefined {
    const name = piece.function?.name ?? piece.name ?? "";
    const args = textOf(piece.function?.arguments ?? piece.arguments);
    const place = placeOf(piece);
    if (name === "" && args === "" && place.id === "") return undefined;
    const known = this.#callOf(place, name);
    const call = known ?? this.#open(place);
    // Some servers repeat the whole name in every piece, others send it in pieces.
    const more = call.name === name ? "" : name;
    call.name += more;
    call.args += args;
    return more.length + args.length + (known === undefined ? call.id.length : 0);
  }

  /** Whole calls, in the order they began. */
  finished(): readonly RequestedCall[] {
    const ids = new Set<string>();
    return this.#calls.map(({ id, name, args }, position) => {
      if (name === "") throw new ModelFailure("model_bad_response");
      // Made up from the position: the same on every replay, and no other call of this answer has it.
      const tool_call_id = id === "" || ids.has(id) ? `call_${position}` : id;
      ids.add(tool_call_id);
      return { tool_call_id, tool_name: name, args_text: args === "" ? "{}" : args };
    });
  }

  #callOf({ index, id }: Place, name: string): Open | undefined {
    if (index !== undefined) {
      const last = this.#calls.findLast((call) => call.index === index);
      // Gemini calls all of its parallel calls number 0; another id with a name is another call.
      const another = last !== undefined && name !== "" && id !== "" && last.id !== "" && last.id !== id;
      return another ? undefined : last;
    }
    const last = this.#calls.at(-1);
    if (id !== "") return this.#calls.find((call) => call.id === id);
    return name !== "" && last?.args !== "" ? undefined : last;
  }

  #open(place: Place): Open {
    if (this.#calls.length >= MAX_CALLS) throw new ModelFailure("model_bad_response");
    const call = { ...place, name: "", args: "" };
    this.#calls.push(call);
    return call;
  }
}

function placeOf({ index, id }: ToolCallPiece): Place {
  const number = index === undefined || index === null || index === "" ? Number.NaN : Number(index);
  return { index: Number.isNaN(number) ? undefined : number, id: String(id ?? "") };
}

function textOf(args: unknown): string {
  if (args === undefined || args === null) return "";
  return typeof args === "string" ? args : JSON.stringify(args);
}
