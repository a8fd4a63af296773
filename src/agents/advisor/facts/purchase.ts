/** On what terms capacity is paid for; a question about buying it is no statement. */

export type Purchase = "reserved" | "spot" | "on-demand";

const COMMITTED = /\b(?:reserved|committed|savings plans?|cuds?)\b/i;
const NOT = /\b(?:no|not|un|non)[\s-]?(?:reserved|committed)|on.demand|\b(?:or|nothing|none)\b/i;
const WONDERED =
  /\b(?:should|shall|could|would|what if|how about|whether|worth|consider\w*|buy\w*|mov(?:e|ing)|switch\w*|want to (?:commit|reserve)|versus|vs)\b/i;
/** In a question, only what is owned is stated. */
const OWNED = /\b(?:our|my|have|already|\d+)\b.*\b(?:reserved|committed|savings plans?|cuds?)\b/i;
const CLAUSE = /(?<=[.!?;\n])|, (?=(?:so )?(?:what|which|how|where|why|should|can|is)\b)/i;

export function committedIn(text: string): boolean {
  return text
    .split(CLAUSE)
    .some(
      (clause) =>
        COMMITTED.test(clause) &&
        !NOT.test(clause) &&
        !WONDERED.test(clause) &&
        (OWNED.test(clause) || !clause.endsWith("?")),
    );
}

export function wondered(lead: string): boolean {
  return WONDERED.test(lead.split(CLAUSE).at(-1) ?? "");
}

export function purchaseOf(word = ""): Purchase | undefined {
  if (/^(?:res|com)/i.test(word)) return "reserved";
  if (/^(?:sp|pre)/i.test(word)) return "spot";
  return /^on/i.test(word) ? "on-demand" : undefined;
}
