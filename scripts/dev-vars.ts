/** The settings of a server on this machine, as `.dev.vars` holds them. */
import { randomBytes } from "node:crypto";

/** Random, because there is no default secret anywhere. */
export function newSecret(): string {
  return randomBytes(32).toString("hex");
}

/** Throws if a value cannot be written down. */
export function devVars(more: Readonly<Record<string, string>> = {}): string {
  const vars = { ENVIRONMENT: "development", JWT_SECRET: newSecret(), ...more };
  return Object.entries(vars)
    .map(([name, value]) => `${name}=${quoted(name, value)}\n`)
    .join("");
}

/** There is no escaping between quotes: what is there is the value, but for a `$`, which names another variable. */
function quoted(name: string, value: string): string {
  const quote = ["'", "`"].find((one) => !value.includes(one));
  if (quote === undefined || /\$|\\$/.test(value))
    throw new Error(`${name} has characters that cannot be written`);
  return `${quote}${value}${quote}`;
}
