/** The variable `PLANS`: what a deployment gives each plan where it differs from the defaults. */
import * as z from "zod/mini";
import { DEFAULT_PLANS, type Limits, type Plans } from "../protocol/limits.ts";

const MINUTE_MS = 60_000;

function whole(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z.exactOptional(z.int({ error: rule }).check(z.gte(min, rule), z.lte(max, rule)));
}

/** 0: as much as anybody likes. */
function dollars(max: number) {
  const rule = `must be a number from 0 to ${max}`;
  return z.exactOptional(z.number({ error: rule }).check(z.gte(0, rule), z.lte(max, rule)));
}

/** What the dearest frame costs (`costOf`): with a smaller burst nobody could ever renew a token or ask for a snapshot. */
const MIN_BURST = 5;

/** What may be configured, and within which bounds; sizes are part of the protocol and stay. */
const LIMITS = {
  connections: whole(1, 1_000),
  runs_per_thread: whole(1, 10),
  runs_per_user: whole(1, 100),
  queued_runs_per_thread: whole(0, 1_000),
  run_steps: whole(1, 200),
  run_ms: whole(1_000, 15 * MINUTE_MS),
  tool_ms: whole(100, 15 * MINUTE_MS),
  run_attempts: whole(1, 10),
  commands_per_s: whole(1, 1_000),
  commands_burst: whole(MIN_BURST, 10_000),
  user_commands_per_s: whole(1, 10_000),
  user_commands_burst: whole(MIN_BURST, 100_000),
  tokens_per_day: whole(0, 1_000_000_000_000),
  cost_usd_per_day: dollars(1_000_000),
};

const limits = z.strictObject(LIMITS, {
  error: `must be an object with some of ${Object.keys(LIMITS).join(", ")}`,
});

const PLANS = {
  free: z.exactOptional(limits),
  pro: z.exactOptional(limits),
  enterprise: z.exactOptional(limits),
};

/** `{"pro": {"connections": 30}}`: anything else of a plan keeps its default. */
export const planSettings = z.strictObject(PLANS, {
  error: `must be an object with some of ${Object.keys(PLANS).join(", ")}`,
});

export function plansOf(settings: z.infer<typeof planSettings>): Plans {
  return {
    free: limitsOf(DEFAULT_PLANS.free, settings.free),
    pro: limitsOf(DEFAULT_PLANS.pro, settings.pro),
    enterprise: limitsOf(DEFAULT_PLANS.enterprise, settings.enterprise),
  };
}

/** A budget of 0 is none, and none is not named anywhere. */
function limitsOf(defaults: Limits, settings: z.infer<typeof limits> = {}): Limits {
  const { tokens_per_day = 0, cost_usd_per_day = 0, ...others } = settings;
  return {
    ...defaults,
    ...others,
    ...(tokens_per_day > 0 && { tokens_per_day }),
    ...(cost_usd_per_day > 0 && { cost_usd_per_day }),
  };
}
