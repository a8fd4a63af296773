/** What is said of some GPUs and not of others: "10 A100 at 30 % and 4 reserved H100 at 80 %". */
import { gpuRate, type PriceTable } from "../prices.ts";
import { type Purchase, purchaseOf, wondered } from "./purchase.ts";

export interface Fleet {
  readonly count: number;
  /** "GPU" where the text names no type. */
  readonly type: string;
  readonly utilisation?: number | undefined;
  readonly purchase?: Purchase | undefined;
}

/** What stands around the GPUs: to the previous, and to the next. */
export interface Around {
  readonly lead: string;
  /** Between count and type. */
  readonly word: string | undefined;
  readonly after: string;
}

const KIND = "reserved|committed|on[- ]demand|spot|pre-?emptible";
const IS = String.raw`[\s(,]*(?:\b(?:gpus?|instances?|which|that|are|is|runn?(?:s|ing)?|sit(?:ting)?|used|busy|${KIND})\b[\s(,]*)*`;
const LOAD = new RegExp(
  String.raw`^${IS}(?:\b(?:at|about|around|only|roughly)\b\s*|~)*(?:(\d{1,3}) ?%?[-–])?(\d{1,3}(?:\.\d+)?)\s?%(?! ?(?:of|off|discount))(?:\s*(?:utili[sz]\w*|used|busy|(idle))\b)?`,
  "i",
);
const IDLE = new RegExp(
  String.raw`^${IS}(?:fully |completely )?idle\b(?! ?(?:at|for|about|around|~)? ?\d)`,
  "i",
);
const TERMS = new RegExp(
  String.raw`^[\s(,]*(?:\b(?:gpus?|instances?|nodes?|which|that|are|is|all|on|as)\b[\s(,]*)*\b(${KIND})\b(?! (?:or|vs))`,
  "i",
);
const ALL = new RegExp(
  String.raw`\b(?:all|both|everything|each)(?: of (?:them|it|these))?(?: (?:is|are))?(?: on)? (${KIND})\b`,
  "i",
);

export interface Details {
  readonly utilisation: number | undefined;
  readonly purchase: Purchase | undefined;
  /** Characters of `after` that say how busy they are. */
  readonly read: number;
}

export function detailsOf({ lead, word = "", after }: Around): Details {
  const load = LOAD.exec(after);
  const [, low, high = "", idle] = load ?? [];
  const value = load ? (Number(low ?? high) + Number(high)) / 200 : undefined;
  const off = /idle/i.test(word) || IDLE.test(after);
  const rest = after.replace(LOAD, "");
  const term =
    purchaseOf(word.trim()) ?? purchaseOf(TERMS.exec(after)?.[1]) ?? purchaseOf(TERMS.exec(rest)?.[1]);
  const known = value !== undefined && value <= 1;
  return {
    utilisation: known ? (idle ? 1 - value : value) : off ? 0 : undefined,
    purchase: wondered(lead) ? undefined : term,
    read: known ? (load?.[0].length ?? 0) : 0,
  };
}

/** "16 H100s … those 16 H100s" is one fleet; what was said of all holds for each. */
export function joined(
  found: ReadonlyArray<Fleet & { readonly again: boolean }>,
  text: string,
): readonly Fleet[] {
  const common = purchaseOf(ALL.exec(text)?.[1]);
  const fleets: Fleet[] = [];
  for (const { again, ...fleet } of found) {
    const at = again
      ? fleets.findIndex(({ count, type }) => count === fleet.count && type === fleet.type)
      : -1;
    const { utilisation, purchase = common } = fleet;
    const known = fleets[at];
    if (known === undefined) fleets.push({ ...fleet, purchase });
    else
      fleets[at] = {
        ...known,
        utilisation: utilisation ?? known.utilisation,
        purchase: purchase ?? known.purchase,
      };
  }
  return fleets;
}

/** $ per GPU-hour where the type is not known. */
const ANY_GPU_RATE = 2.5;

/** What spot costs, of the rate on demand. */
const SPOT_RATE = 0.4;

export function hourlyRate({ type, purchase }: Pick<Fleet, "type" | "purchase">, table?: PriceTable): number {
  const { on_demand, committed } = gpuRate(type, table) ?? {
    on_demand: ANY_GPU_RATE,
    committed: ANY_GPU_RATE,
  };
  return purchase === "spot" ? on_demand * SPOT_RATE : purchase === "reserved" ? committed : on_demand;
}
