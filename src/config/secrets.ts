/** Settings that are sent as a header: what has no place in one would fail at each use, far from its cause. */
import * as z from "zod/mini";

/** RFC 6750 §2.1 allows less; servers do not keep to it. */
const TOKEN_RULE = "must have at least one character, and only visible ones of ASCII";

/** What follows `Bearer`. */
export const bearerToken = z
  .string({ error: TOKEN_RULE })
  .check(z.regex(/^[\x21-\x7e]+$/, { error: TOKEN_RULE }));
