/** Time, ids and the log as the platform has them. */
import { waitUntil } from "cloudflare:workers";
import type { ProviderPorts } from "../auth/provider-keys.ts";
import type { Clock, Ids, Logger, Measure } from "./ports.ts";

export const platformClock: Clock = {
  now: () => Date.now(),
  wait: (ms) => scheduler.wait(ms),
  timer(ms, due) {
    const timer = setTimeout(due, ms);
    return () => clearTimeout(timer);
  },
};

/** 96 random bits in the alphabet of URLs (RFC 4648 §5): 16 characters, twice in each piece of a streamed text. */
export const platformIds: Ids = {
  random: () =>
    btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(12))))
      .replaceAll("+", "-")
      .replaceAll("/", "_"),
};

/** One JSON object a line, which Workers Logs indexes by field. */
export const platformLogger: Logger = (level, message, facts) => {
  // biome-ignore lint/suspicious/noConsole: this is where the platform takes its log from
  console[level](JSON.stringify({ level, message, ...facts }));
};

export const platformFetch = (url: string, init?: RequestInit): Promise<Response> => fetch(url, init);

/** How identity providers are asked. */
export const platformProvider: ProviderPorts = {
  now: platformClock.now,
  wait: platformClock.wait,
  fetch: platformFetch,
  background: (work) => waitUntil(work),
  report: platformLogger,
};

/** @param env may have the binding `ANALYTICS` (Workers Analytics Engine); without it nothing is counted */
export function measureWith(env: object, user_id: string): Measure {
  const { ANALYTICS: dataset }: { readonly ANALYTICS?: AnalyticsEngineDataset } = env;
  return (what, names, numbers) =>
    dataset?.writeDataPoint({ indexes: [user_id], blobs: [what, ...names], doubles: [...numbers] });
}
