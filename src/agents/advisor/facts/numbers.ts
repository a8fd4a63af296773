/** Reading numbers as people write them: 50k, 50,000, 50.000, 1,5m, 20 000. */

/** A number without a unit; spaces between thousands only where money is expected. */
export const NUMBER = String.raw`\d+(?:[,.]\d+)*`;
export const SPACED_NUMBER = String.raw`\d{1,3}(?:[ '’]\d{3})+(?:[.,]\d{1,2})?(?!\d)|${NUMBER}`;

/** Longest first; a suffix never runs on into another word. */
export const SUFFIX =
  "thousand|tausend|mill[a-zó]+|billion|trillion|lakhs?|crores?|mio\\.?|mrd\\.?|mn|bn|[kmbt]";

/** First match wins. */
const SCALES: ReadonlyArray<readonly [RegExp, number]> = [
  [/^(?:k|th|ta)/, 1e3],
  [/^(?:b|mrd)/, 1e9],
  [/^m/, 1e6],
  [/^t/, 1e12],
  [/^l/, 1e5],
  [/^c/, 1e7],
];

/** More than this is a slip of the finger, not a bill. */
const MAX_NUMBER = 1e15;

/** `undefined` where the text is not a usable positive number. */
export function parseNumber(digits: string, suffix = ""): number | undefined {
  const value = Number(plain(digits.replace(/[ '’]/g, ""), suffix)) * scaleOf(suffix.toLowerCase());
  return value > 0 && value <= MAX_NUMBER ? value : undefined;
}

function scaleOf(suffix: string): number {
  return SCALES.find(([said]) => said.test(suffix))?.[1] ?? 1;
}

const UNITS =
  "half a,a,two,three,four,five,six,seven,eight,nine,ten,twenty,thirty,forty,fifty,sixty,seventy,eighty,ninety";
const WORDS = new RegExp(
  `\\b(${UNITS.replaceAll(",", "|")})( hundred)?(?=[ -](?:thousand|million)\\b)`,
  "gi",
);

/** "Two hundred thousand" as "200 thousand": round numbers, which is what people write out. */
export function withDigits(text: string): string {
  return text.replace(WORDS, (_, word: string, hundred?: string) => {
    const at = UNITS.split(",").indexOf(word.toLowerCase()) || 0.5;
    return String((at > 10 ? (at - 9) * 10 : at) * (hundred ? 100 : 1));
  });
}

/** The separator that can only be decimal becomes ".", the others go. */
function plain(digits: string, suffix: string): string {
  const last = Math.max(digits.lastIndexOf("."), digits.lastIndexOf(","));
  if (last < 0) return digits;
  const whole = digits.slice(0, last);
  const mixed = digits.includes(".") && digits.includes(",");
  const grouped =
    digits.length - last === 4 && !/^0?$/.test(whole) && !(suffix !== "" && digits[last] === ".");
  // "1.234,567.890" has no decimals either: its last mark stands between thousands before.
  const again = digits.length - last === 4 && whole.includes(digits.charAt(last));
  if (mixed ? again : grouped || /[.,]/.test(whole)) return digits.replace(/[.,]/g, "");
  return `${whole.replace(/[.,]/g, "")}.${digits.slice(last + 1)}`;
}
