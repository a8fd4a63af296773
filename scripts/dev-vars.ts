/** The settings of a server on this machine, as `.dev.vars` holds them. */
import { randomBytes } from "node:crypto";

/** Random, because there is no default secret anywhere. */
export function newSecret(): string {
  return randomBytes(32).toString("hex");
}

export function devVars(more: Readonly<Record<string, string>> = {}): string {
  const vars = { ENVIRONMENT: "development", JWT_SECRET: newSecret(), ...more };
  return Object.entries(vars)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join("");
}
