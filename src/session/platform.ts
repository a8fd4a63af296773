/** Time, ids and the log as the platform has them. */
import type { Clock, Ids, Logger } from "./ports.ts";

export const platformClock: Clock = {
  now: () => Date.now(),
  wait: (ms) => scheduler.wait(ms),
  timer(ms, due) {
    const timer = setTimeout(due, ms);
    return () => clearTimeout(timer);
  },
};

/** 122 random bits, without the dashes: 32 characters. */
export const platformIds: Ids = {
  random: () => crypto.randomUUID().replaceAll("-", ""),
};

/** One JSON object a line, which Workers Logs indexes by field. */
export const platformLogger: Logger = (level, message, facts) => {
  // biome-ignore lint/suspicious/noConsole: this is where the platform takes its log from
  console[level](JSON.stringify({ level, message, ...facts }));
};
