/** What somebody says they do not have: "we have no GPUs at all", "we don't train models". */
import { type Bucket, scopeOf } from "../buckets.ts";
import { mask } from "./mask.ts";

const NOUN = "(gpus?|train(?:ing)?|fine-?tun\\w+|apis?|llms?|(?:data )?(?:pipelines?|warehouses?)|logging)";
const HAVE = "(?: (?:have|use|run|own|rent|do))?(?: (?:own|any|our))*";

/** "No GPU reservations" says something else, and so does "what if we had no GPUs?". */
const ABSENT = new RegExp(
  `(?<!\\b(?:what if|should|could|would)\\b[^.?!\\n]{0,40})\\b(?:no|without|none of it is|not|never|\\w+n['’]?t)${HAVE} ${NOUN}(?: models?)?(?:,? (?:or|nor|and no)${HAVE} ${NOUN})?(?: models?)?(?=\\s*(?:$|[.,;:!?)\\n]|(?:at all|and|or|but|so|any|yet|here)\\b))`,
  "gi",
);

export function absentIn(text: string): { readonly absent: readonly Bucket[]; readonly rest: string } {
  const { matches, rest } = mask(text, ABSENT);
  const absent = matches.flatMap(([, ...nouns]) =>
    nouns.flatMap((noun = "") => {
      const scope = scopeOf(noun);
      return scope === undefined || scope === "cloud" ? [] : [scope];
    }),
  );
  return { absent: [...new Set(absent)], rest };
}
