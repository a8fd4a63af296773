/** Environment → `Settings`, validated once; whoever asks gets the settings or the name of the wrong variable. */
import * as z from "zod/mini";
import { DEFAULT_PLANS, type Plans } from "../protocol/limits.ts";
import type { Prices } from "../protocol/prices.ts";
import { utf8Length } from "../protocol/primitives.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { MODEL_VARIABLES, type ModelSettings, modelSettings } from "./model.ts";
import { wholeNumber } from "./numbers.ts";
import { type OidcSettings, oidcRealms } from "./oidc.ts";
import { planSettings, plansOf } from "./plans.ts";
import { modelPrices, pricesOf } from "./prices.ts";
import { type RemoteAgentSettings, remoteAgentOf, remoteAgentVariables } from "./remote-agent.ts";

export interface Settings {
  readonly environment: "production" | "development";
  /** Signs and verifies the tokens of realm `local`. */
  readonly jwt_secret: string;
  /** Verifies only: the secret before the last rotation, until the tokens signed with it have expired. */
  readonly jwt_secret_previous?: string | undefined;
  /** If set, tokens of realm `local` must name it in `iss`. */
  readonly jwt_issuer?: string | undefined;
  /** If set, tokens of realm `local` must name it in `aud`. */
  readonly jwt_audience?: string | undefined;
  /** Identity providers whose tokens are honoured. */
  readonly oidc_realms: readonly OidcSettings[];
  /** What each plan is given. */
  readonly plans: Plans;
  /** What models cost; of one that is not there nobody knows. */
  readonly prices: Prices;
  /** Pages on these origins may connect, besides those on the Worker's own. */
  readonly allowed_origins: readonly string[];
  /** A socket silent for this long is asked whether it is there; 0: none ever is. */
  readonly heartbeat_sweep_ms: number;
  /** One that says nothing for this long after it was asked is closed. */
  readonly heartbeat_timeout_ms: number;
  /** How long the steps of runs, notifications and the ids of commands are kept; messages stay. */
  readonly retention_days: number;
  /** If set, it answers what people say, in the place of the agents of the Worker. */
  readonly remote_agent?: RemoteAgentSettings | undefined;
  /** The language model that answers; absent: the advisor does. */
  readonly model: ModelSettings | undefined;
}

/**
 * A Worker without usable settings answers `not_configured`: it must not guess,
 * and there is no default secret anywhere. Values never appear in the message.
 */
export function settingsOf(env: object): Result<Settings> {
  const known = cache.get(env);
  if (known !== undefined) return known;
  const settings = parse(env);
  cache.set(env, settings);
  return settings;
}

/** The platform hands out one env object per isolate. */
const cache = new WeakMap<object, Result<Settings>>();

/** As long as the hash of HS256 (RFC 7518 §3.2). */
const MIN_SECRET_BYTES = 32;

const SECRET_RULE = `must be a secret of at least ${MIN_SECRET_BYTES} bytes`;
const ORIGINS_RULE = "must be a comma-separated list of origins such as https://app.example.com";

const name = z.string({ error: "must be a text" }).check(z.minLength(1, "must not be empty"));

const DAY_MS = 24 * 60 * 60 * 1_000;

/** What holds where a variable is not set, and for objects whose Worker cannot read its settings. */
export const DEFAULTS = {
  // A clean close is told at once: the sweep is for clients that vanished, and each one is an alarm.
  heartbeat_sweep_ms: 15 * 60 * 1_000,
  heartbeat_timeout_ms: 10_000,
  retention_days: 30,
  plans: DEFAULT_PLANS,
  prices: new Map() as Prices,
} as const;

const JSON_RULE = "must be JSON";

/** A variable is JSON in a text, or the value itself where the configuration file has it as a table. */
function json<T extends z.core.$ZodType>(schema: T) {
  const parsed = z.transform((value: unknown, context) => {
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value);
    } catch {
      context.issues.push({ code: "custom", input: undefined, message: JSON_RULE });
      return z.NEVER;
    }
  });
  return z.pipe(parsed, schema);
}

const secret = z
  .string({ error: SECRET_RULE })
  .check(z.refine((text) => utf8Length(text) >= MIN_SECRET_BYTES, { error: SECRET_RULE }));

const variables = z.object({
  ENVIRONMENT: z.optional(
    z.enum(["production", "development"], { error: "must be production or development" }),
  ),
  JWT_SECRET: secret,
  JWT_SECRET_PREVIOUS: z.optional(secret),
  JWT_ISSUER: z.optional(name),
  JWT_AUDIENCE: z.optional(name),
  OIDC_REALMS: z.optional(json(oidcRealms)),
  PLANS: z.optional(json(planSettings)),
  MODEL_PRICES: z.optional(json(modelPrices)),
  ALLOWED_ORIGINS: z.optional(
    z
      .string({ error: ORIGINS_RULE })
      .check(z.refine((text) => splitList(text).every(isOrigin), { error: ORIGINS_RULE })),
  ),
  HEARTBEAT_SWEEP_MS: z.optional(wholeNumber(0, DAY_MS)),
  HEARTBEAT_TIMEOUT_MS: z.optional(wholeNumber(1, DAY_MS)),
  RETENTION_DAYS: z.optional(wholeNumber(1, 3_650)),
  ...remoteAgentVariables,
  ...MODEL_VARIABLES,
});

function parse(env: object): Result<Settings> {
  const parsed = variables.safeParse(env);
  if (!parsed.success) return notConfigured(parsed.error);
  const { JWT_ISSUER, OIDC_REALMS = [] } = parsed.data;
  if (OIDC_REALMS.some(({ issuer }) => issuer === JWT_ISSUER)) return NOT_OURS;
  const model = modelSettings(parsed.data);
  if (!model.ok) return model;
  return ok({
    environment: parsed.data.ENVIRONMENT ?? "production",
    jwt_secret: parsed.data.JWT_SECRET,
    jwt_secret_previous: parsed.data.JWT_SECRET_PREVIOUS,
    jwt_issuer: JWT_ISSUER,
    jwt_audience: parsed.data.JWT_AUDIENCE,
    oidc_realms: OIDC_REALMS,
    plans: plansOf(parsed.data.PLANS ?? {}),
    prices: pricesOf(parsed.data.MODEL_PRICES ?? []),
    allowed_origins: splitList(parsed.data.ALLOWED_ORIGINS ?? ""),
    heartbeat_sweep_ms: Number(parsed.data.HEARTBEAT_SWEEP_MS ?? DEFAULTS.heartbeat_sweep_ms),
    heartbeat_timeout_ms: Number(parsed.data.HEARTBEAT_TIMEOUT_MS ?? DEFAULTS.heartbeat_timeout_ms),
    retention_days: Number(parsed.data.RETENTION_DAYS ?? DEFAULTS.retention_days),
    remote_agent: remoteAgentOf(parsed.data),
    model: model.value,
  });
}

/** Tokens of ours would be verified by that provider's keys. */
const NOT_OURS = refuse("not_configured", "JWT_ISSUER must not be the issuer of a provider in OIDC_REALMS", {
  field: "JWT_ISSUER",
});

function notConfigured(error: z.core.$ZodError): Result<Settings> {
  const issue = error.issues[0];
  const field = issue?.path.map(String).join(".") || "environment";
  return refuse("not_configured", `${field} ${issue?.message ?? "is not valid"}`, { field });
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** True for what a browser puts into `Origin` (RFC 6454 §6.2), of apps with a scheme of their own too. */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:[\]-]+$/.test(text)) return false;
  return !/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text);
}
