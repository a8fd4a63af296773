/** On what terms capacity is paid for; a question about buying it is no statement. */

export type Purchase = "reserved" | "spot" | "on demand";

/** Not what is doubted, and in a question only what is owned. */
const COMMITTED =
  /^(?!.*\b(?:(?:no|not|un|non)[\s-]?(?:reserved|committed)|on.demand|or|nothing|none|vs)\b)(?=.*[^?]$|.*\b(?:our|have|already|\d+)\b).*\b(?:reserved|committed|savings plans?|cuds?)\b/is;
const WONDERED = /\b(?:should|could|would|what if|how about|worth|buy\w*|mov(?:e|ing)|switch\w*)\b/i;
const CLAUSE = /(?<=[.!?;\n])|, (?=(?:so )?(?:what|which|how|where|should|can)\b)/i;

export function committedIn(text: string): boolean {
  return text.split(CLAUSE).some((clause) => COMMITTED.test(clause) && !WONDERED.test(clause));
}

/** "Should we move these to spot": they are not. */
export function wondered(lead: string): boolean {
  return WONDERED.test(lead.split(CLAUSE).at(-1) ?? "");
}

export function purchaseOf(word = ""): Purchase | undefined {
  if (/^[rc]/i.test(word)) return "reserved";
  if (/^[sp]/i.test(word)) return "spot";
  return /^o/i.test(word) ? "on demand" : undefined;
}
