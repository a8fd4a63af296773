/** The native dialect: stored frames go out as they are, everything else is its own JSON. */
import { parseClientFrame } from "../protocol/parse.ts";
import type { Codec } from "../session/codec.ts";

export const native: Codec = {
  name: "native",
  acks: true,
  decode: parseClientFrame,
  event: ({ frame }) => [frame],
  frame: (frame) => [JSON.stringify(frame)],
};
