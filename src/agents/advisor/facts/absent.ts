/** What somebody says they do not have: "we have no GPUs at all", "we don't train models". */
import { type Bucket, scopeOf } from "../buckets.ts";
import { mask } from "./mask.ts";

const NOUN =
  "(?:gpus?|(?:pre-?)?train(?:ing)?|fine-?tun(?:e|ing)|apis?|llms?|data (?:pipelines?|platform)|(?:data )?warehouses?|monitoring|logging)";
const OWN = "(?:(?:own|any|dedicated|external|llm|model|rented|cloud)[ -]){0,2}";
const VERB = "(?: (?:have|use|run|own|rent|do|pay for))?";

/** "No GPU reservations" says something else, and so does "what if we had no GPUs?". */
const ABSENT = new RegExp(
  String.raw`(?<!\b(?:what if|should|could|would)\b[^.?!\n]{0,40})\b(?:no|zero|without|none of (?:it|that) (?:is|goes to)|nothing (?:on|for|goes to)|(?:not|never|\w+n['’]?t)(?: (?:currently|really|actually|even))?${VERB}) ${OWN}(${NOUN})(?: models?)?(?:,? (?:or|nor|and no)${VERB} ${OWN}(${NOUN}))?(?: models?)?(?=\s*(?:$|[.,;:!?)\n–—-]|(?:at all|and|or|but|so|any|anything|ourselves|yet|of our own|here|anywhere|whatsoever)\b))`,
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
