/** The shared state: one JSON document per user, changed by JSON Patch (RFC 6902). */
import * as z from "zod/mini";
import { MAX_PATCH_OPERATIONS } from "./limits.ts";
import { PATCH_OPS } from "./pure/json-patch.ts";

/** What an operation needs beyond its `path` is known once it is carried out. */
export const patch = z
  .array(
    z.object({
      op: z.enum(PATCH_OPS),
      path: z.string(),
      from: z.optional(z.string()),
      value: z.optional(z.unknown()),
    }),
  )
  .check(z.maxLength(MAX_PATCH_OPERATIONS));
