/** Money as it is written in answers. */
import type { Range } from "./tools/savings.ts";

const SIGNS: Readonly<Record<string, string>> = { USD: "$", EUR: "€", GBP: "£", JPY: "¥", INR: "₹" };

export function money(value: number, currency: string): string {
  const digits = value < 100 && value % 1 !== 0 ? value.toFixed(2) : String(Math.round(value));
  const grouped = digits.replace(/\d(?=(?:\d{3})+(?:\.|$))/g, "$&,");
  return `${SIGNS[currency] ?? `${currency} `}${grouped}`;
}

export function moneyRange([low, high]: Range, currency: string): string {
  return low === high ? money(high, currency) : `${money(low, currency)}–${money(high, currency)}`;
}
