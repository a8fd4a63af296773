/**
 * What a user's object answers to an upgrade. A socket is returned as it is: the
 * headers of a 101 cannot be changed. A refusal, which only the object could
 * know of (too many connections, signed out), is told like one of ours.
 */
import * as z from "zod/mini";
import { errorFrame } from "../protocol/replies.ts";
import { refusalAnswer } from "./refusals.ts";

const refused = z.object({
  error: z.object({
    code: errorFrame.shape.payload.shape.code,
    message: z.string(),
    field: z.exactOptional(z.string()),
    limit: z.exactOptional(z.number()),
    retry_after_ms: z.exactOptional(z.number()),
  }),
});

/** Throws if it is neither: a bug, since the object is ours. */
export async function sessionAnswer(answer: Response, request: Request): Promise<Response> {
  if (answer.status === 101) return answer;
  return refusalAnswer(refused.parse(await answer.json()).error, request);
}
