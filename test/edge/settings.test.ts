import { describe, expect, test } from "vitest";
import { chosenAgents } from "../../src/chosen-agents.ts";
import { settingsOf } from "../../src/config/settings.ts";
import { DEFAULT_PLANS } from "../../src/protocol/limits.ts";
import { PRICE } from "../support/counted-model.ts";
import { SECRET } from "../support/tokens.ts";

describe("settings", () => {
  test("[E1] a secret alone is enough, and is production", () => {
    expect(settingsOf({ JWT_SECRET: SECRET })).toEqual({
      ok: true,
      value: {
        environment: "production",
        jwt_secret: SECRET,
        jwt_secret_previous: undefined,
        oidc_realms: [],
        plans: DEFAULT_PLANS,
        prices: new Map(),
        jwt_issuer: undefined,
        jwt_audience: undefined,
        allowed_origins: [],
        heartbeat_sweep_ms: 900_000,
        heartbeat_timeout_ms: 10_000,
        retention_days: 30,
      },
    });
  });

  test("[E1] everything can be set", () => {
    const variables = {
      ENVIRONMENT: "development",
      JWT_SECRET: SECRET,
      JWT_ISSUER: "https://id.example",
      JWT_AUDIENCE: "chat",
      ALLOWED_ORIGINS: " https://a.example, http://[::1]:5173 ,capacitor://localhost,",
      HEARTBEAT_SWEEP_MS: "0",
      HEARTBEAT_TIMEOUT_MS: 5_000,
    };
    expect(settingsOf(variables)).toMatchObject({
      value: {
        environment: "development",
        jwt_issuer: "https://id.example",
        jwt_audience: "chat",
        allowed_origins: ["https://a.example", "http://[::1]:5173", "capacitor://localhost"],
        heartbeat_sweep_ms: 0,
        heartbeat_timeout_ms: 5_000,
      },
    });
  });

  test("[E1] are read once per environment", () => {
    const env = { JWT_SECRET: SECRET };
    expect(settingsOf(env)).toBe(settingsOf(env));
  });

  test.each([32, 33])("[E1] a secret of %i bytes is long enough", (length) => {
    expect(settingsOf({ JWT_SECRET: "x".repeat(length) }).ok).toBe(true);
    expect(settingsOf({ JWT_SECRET: "é".repeat(Math.ceil(length / 2)) }).ok).toBe(true);
  });

  test.each([
    ["JWT_SECRET", undefined],
    ["JWT_SECRET", ""],
    ["JWT_SECRET", "x".repeat(31)],
    ["JWT_SECRET", 7],
    ["ENVIRONMENT", "dev"],
    ["ENVIRONMENT", "Production"],
    ["ENVIRONMENT", ""],
    ["JWT_ISSUER", ""],
    ["JWT_AUDIENCE", ""],
    ["ALLOWED_ORIGINS", "*"],
    ["ALLOWED_ORIGINS", "null"],
    ["ALLOWED_ORIGINS", "app.example"],
    ["ALLOWED_ORIGINS", "https://app.example/"],
    ["ALLOWED_ORIGINS", "https://app.example:443"],
    ["ALLOWED_ORIGINS", "https://App.example"],
    ["ALLOWED_ORIGINS", "https://*.example"],
    ["ALLOWED_ORIGINS", "https://a.example https://b.example"],
    ["ALLOWED_ORIGINS", ["https://a.example"]],
    ["HEARTBEAT_SWEEP_MS", "soon"],
    ["HEARTBEAT_SWEEP_MS", -1],
    ["HEARTBEAT_SWEEP_MS", "1e3"],
    ["HEARTBEAT_SWEEP_MS", 86_400_001],
    ["HEARTBEAT_TIMEOUT_MS", 0],
    ["HEARTBEAT_TIMEOUT_MS", ""],
  ])("[E1] %s of %o is not_configured and named, its value is not", (field, value) => {
    const result = settingsOf({ JWT_SECRET: SECRET, [field]: value });
    expect(result).toMatchObject({ ok: false, refusal: { code: "not_configured", field } });
    if (result.ok) return;
    expect(result.refusal.message.startsWith(`${field} must`)).toBe(true);
    if (field === "JWT_SECRET" && typeof value === "string" && value !== "") {
      expect(result.refusal.message).not.toContain(value);
    }
  });
});

const REALM = { name: "acme", issuer: "https://id.example", audience: "chat" };
const SOME_REALMS = [
  {
    ...REALM,
    audience: ["chat", "api"],
    jwks_url: "https://id.example/keys",
    algorithms: ["ES256"],
    authorized_parties: "web",
    permissions: { claim: "roles", grants: { staff: ["chat", "admin"] } },
    plan: { claim: "tier", plans: { gold: "pro" } },
  },
  { name: "on-this_machine-2", issuer: "http://localhost:8080/realms/a", audience: "chat" },
];
const ALL_ALGORITHMS = ["RS256", "ES256", "EdDSA"];
const PREVIOUS = "the-secret-before-this-one-of-32-bytes";

/** As the configuration file has it, and as a variable on the command line. */
const SPELLINGS = [
  ["a value", (value: unknown) => value],
  ["JSON", (value: unknown) => JSON.stringify(value)],
] as const;

describe("identity in the settings", () => {
  test.each(SPELLINGS)("[E1] [A18] OIDC_REALMS may be %s", (_, spell) => {
    expect(settingsOf({ JWT_SECRET: SECRET, OIDC_REALMS: spell(SOME_REALMS) })).toMatchObject({
      value: {
        oidc_realms: [
          { ...SOME_REALMS[0], authorized_parties: ["web"] },
          { ...SOME_REALMS[1], audience: ["chat"], algorithms: ALL_ALGORITHMS },
        ],
      },
    });
  });

  test.each(SPELLINGS)("[E1] MODEL_PRICES may be %s, with fields nobody knows", (_, spell) => {
    const MODEL_PRICES = { "p/m": { ...PRICE, mode: "chat", max_tokens: "8" } };
    const settings = settingsOf({ JWT_SECRET: SECRET, MODEL_PRICES: spell(MODEL_PRICES) });
    expect(settings).toMatchObject({ ok: true, value: { prices: new Map([["p/m", PRICE]]) } });
  });

  test("[U3] a budget may have fractions of a dollar; 0 is none, and none is named nowhere", () => {
    const PLANS = { free: { tokens_per_day: 0, cost_usd_per_day: 0.25 }, pro: { cost_usd_per_day: 0 } };
    const settings = settingsOf({ JWT_SECRET: SECRET, PLANS });
    expect(settings.ok && settings.value.plans).toEqual({
      ...DEFAULT_PLANS,
      free: { ...DEFAULT_PLANS.free, cost_usd_per_day: 0.25 },
    });
  });

  test.each(SPELLINGS)("[E1] PLANS may be %s, and is put over the defaults", (_, spell) => {
    const PLANS = { pro: { connections: 30, run_ms: 900_000 }, enterprise: {} };
    expect(settingsOf({ JWT_SECRET: SECRET, PLANS: spell(PLANS) })).toMatchObject({
      value: {
        plans: { ...DEFAULT_PLANS, pro: { ...DEFAULT_PLANS.pro, connections: 30, run_ms: 900_000 } },
      },
    });
  });

  test.each(SPELLINGS)("[E1] none of them, as %s, is the default", (_, spell) => {
    const empty = { OIDC_REALMS: spell([]), PLANS: spell({}) };
    expect(settingsOf({ JWT_SECRET: SECRET, ...empty })).toEqual(settingsOf({ JWT_SECRET: SECRET }));
  });

  test("[E1] [A15] JWT_ISSUER must not be a provider's: nobody could tell our tokens from its", () => {
    const { issuer } = REALM;
    const both = { JWT_SECRET: SECRET, OIDC_REALMS: [{ ...REALM, name: "b", issuer: `${issuer}/b` }, REALM] };
    const message = expect.stringMatching(/^JWT_ISSUER must not (?!.*id\.example)/);
    expect(settingsOf({ ...both, JWT_ISSUER: issuer })).toEqual({
      ok: false,
      refusal: { code: "not_configured", field: "JWT_ISSUER", message },
    });
    expect(settingsOf({ ...both, JWT_ISSUER: `${issuer}/` }).ok).toBe(true);
    expect(settingsOf(both).ok).toBe(true);
  });

  test("[E1] [A14] the previous secret has the length of a secret", () => {
    expect(settingsOf({ JWT_SECRET: SECRET, JWT_SECRET_PREVIOUS: PREVIOUS })).toMatchObject({
      value: { jwt_secret: SECRET, jwt_secret_previous: PREVIOUS },
    });
  });

  test.each([
    ["https://id.example/"],
    ["https://id.example:8443/a/b"],
    ["http://127.0.0.1:8080"],
    ["http://[::1]:8080"],
  ])("[E1] an issuer may be %s", (issuer) => {
    expect(settingsOf({ JWT_SECRET: SECRET, OIDC_REALMS: [{ ...REALM, issuer }] }).ok).toBe(true);
  });

  /** What stands for a value that somebody would not like to read in a log. */
  const MARK = "s3cr3t-mark";

  const realm = (over: object) => [{ ...REALM, ...over }];
  const grants = (value: unknown) => realm({ permissions: { claim: "roles", grants: value } });
  const plans = (value: unknown) => realm({ plan: { claim: "tier", plans: value } });

  test.each<[string, unknown]>([
    ["OIDC_REALMS", null],
    ["OIDC_REALMS", {}],
    ["OIDC_REALMS", MARK.length],
    ["OIDC_REALMS", [REALM, { ...REALM, issuer: "https://b.example" }]],
    ["OIDC_REALMS", [REALM, { ...REALM, name: "b" }]],
    ["OIDC_REALMS.0", [MARK]],
    ["OIDC_REALMS.0", [null]],
    ["OIDC_REALMS.1", [REALM, { ...REALM, client_secret: MARK }]],
    ["OIDC_REALMS.0.name", realm({ name: undefined })],
    ["OIDC_REALMS.0.name", realm({ name: "local" })],
    ["OIDC_REALMS.0.name", realm({ name: `${MARK}!` })],
    ["OIDC_REALMS.0.name", realm({ name: "x".repeat(33) })],
    ["OIDC_REALMS.0.name", realm({ name: "" })],
    ["OIDC_REALMS.0.issuer", realm({ issuer: undefined })],
    ["OIDC_REALMS.0.issuer", realm({ issuer: MARK })],
    ["OIDC_REALMS.0.issuer", realm({ issuer: `http://${MARK}.example` })],
    ["OIDC_REALMS.0.issuer", realm({ issuer: `http://localhost.${MARK}.example` })],
    ["OIDC_REALMS.0.issuer", realm({ issuer: `https://id.example/?${MARK}` })],
    ["OIDC_REALMS.0.issuer", realm({ issuer: `https://id.example/#${MARK}` })],
    ["OIDC_REALMS.0.issuer", realm({ issuer: `https://${MARK}@id.example` })],
    ["OIDC_REALMS.0.issuer", realm({ issuer: `https://:${MARK}@id.example` })],
    ["OIDC_REALMS.0.audience", realm({ audience: undefined })],
    ["OIDC_REALMS.0.audience", realm({ audience: [] })],
    ["OIDC_REALMS.0.audience", realm({ audience: "" })],
    ["OIDC_REALMS.0.audience", realm({ audience: [MARK, 7] })],
    ["OIDC_REALMS.0.audience.1", realm({ audience: [MARK, ""] })],
    ["OIDC_REALMS.0.jwks_url", realm({ jwks_url: `http://${MARK}.example/keys` })],
    ["OIDC_REALMS.0.jwks_url", realm({ jwks_url: `data:,${MARK}` })],
    ["OIDC_REALMS.0.algorithms", realm({ algorithms: [] })],
    ["OIDC_REALMS.0.algorithms", realm({ algorithms: MARK })],
    ["OIDC_REALMS.0.algorithms.1", realm({ algorithms: ["RS256", "HS256"] })],
    ["OIDC_REALMS.0.algorithms.0", realm({ algorithms: ["none"] })],
    ["OIDC_REALMS.0.authorized_parties", realm({ authorized_parties: [] })],
    ["OIDC_REALMS.0.permissions", realm({ permissions: MARK })],
    ["OIDC_REALMS.0.permissions", realm({ permissions: { claim: "a", grants: {}, [MARK]: 1 } })],
    ["OIDC_REALMS.0.permissions.claim", realm({ permissions: { grants: {} } })],
    ["OIDC_REALMS.0.permissions.claim", realm({ permissions: { claim: "", grants: {} } })],
    ["OIDC_REALMS.0.permissions.grants", grants(undefined)],
    ["OIDC_REALMS.0.permissions.grants", grants([MARK])],
    ["OIDC_REALMS.0.permissions.grants.staff", grants({ staff: MARK })],
    ["OIDC_REALMS.0.permissions.grants.staff.1", grants({ staff: ["chat", MARK] })],
    ["OIDC_REALMS.0.plan", realm({ plan: MARK })],
    ["OIDC_REALMS.0.plan.plans", plans(MARK)],
    ["OIDC_REALMS.0.plan.plans.gold", plans({ gold: MARK })],
    ["PLANS", null],
    ["PLANS", []],
    ["PLANS", { [MARK]: {} }],
    ["PLANS.pro", { pro: null }],
    ["PLANS.pro", { pro: { [MARK]: 1 } }],
    ["PLANS.pro", { pro: { frame_bytes: 1 } }],
    ["PLANS.free.connections", { free: { connections: 0 } }],
    ["PLANS.free.connections", { free: { connections: 1_001 } }],
    ["PLANS.free.connections", { free: { connections: MARK } }],
    ["PLANS.free.connections", { free: { connections: null } }],
    ["PLANS.free.commands_burst", { free: { commands_burst: 4 } }],
    ["PLANS.free.user_commands_burst", { free: { user_commands_burst: 4 } }],
    ["PLANS.free.tokens_per_day", { free: { tokens_per_day: 0.5 } }],
    ["PLANS.free.tokens_per_day", { free: { tokens_per_day: -1 } }],
    ["PLANS.free.cost_usd_per_day", { free: { cost_usd_per_day: MARK } }],
    ["MODEL_PRICES", null],
    ["MODEL_PRICES.0", [MARK]],
    ["MODEL_PRICES.0", { [MARK]: null }],
    ["MODEL_PRICES.1.output_cost_per_token", { a: PRICE, [MARK]: { input_cost_per_token: 0 } }],
    ["MODEL_PRICES.0.input_cost_per_token", { [MARK]: { ...PRICE, input_cost_per_token: 2.5 } }],
    ["MODEL_PRICES.0.input_cost_per_token", { [MARK]: { ...PRICE, input_cost_per_token: -0.001 } }],
    ["MODEL_PRICES.0.cache_read_input_token_cost", { a: { ...PRICE, cache_read_input_token_cost: MARK } }],
    ["MODEL_PRICES.0.model", { "": PRICE }],
    ["PLANS.enterprise.run_ms", { enterprise: { run_ms: 1_000.5 } }],
    ["PLANS.enterprise.queued_runs_per_thread", { enterprise: { queued_runs_per_thread: -1 } }],
  ])("[E1] %s is named in %j with its rule and without its value, however it is spelt", (field, value) => {
    const [variable = ""] = field.split(".");
    for (const [, spell] of SPELLINGS) {
      const result = settingsOf({ JWT_SECRET: SECRET, [variable]: spell(value) });
      expect(result).toMatchObject({ ok: false, refusal: { code: "not_configured", field } });
      if (result.ok) continue;
      expect(result.refusal.message.startsWith(`${field} must`)).toBe(true);
      expect(JSON.stringify(result)).not.toContain(MARK);
    }
  });

  test.each([
    ["OIDC_REALMS", ""],
    ["OIDC_REALMS", `[{"name":"${MARK}"`],
    ["OIDC_REALMS", MARK],
    ["PLANS", `{${MARK}}`],
    ["PLANS", '{"__proto__":{"connections":1}}'],
    ["PLANS.pro", '{"pro":{"__proto__":{"connections":1}}}'],
    ["JWT_SECRET_PREVIOUS", ""],
    ["JWT_SECRET_PREVIOUS", MARK],
    ["JWT_SECRET_PREVIOUS", 7],
    ["JWT_SECRET_PREVIOUS", null],
  ])("[E1] %s of %j is not_configured, and its value is not repeated", (field, value) => {
    const [variable = ""] = field.split(".");
    const result = settingsOf({ JWT_SECRET: SECRET, [variable]: value });
    expect(result).toMatchObject({ ok: false, refusal: { code: "not_configured", field } });
    expect(result.ok || result.refusal.message).toMatch(/^[A-Z_]+(\.pro)? must /);
    expect(JSON.stringify(result)).not.toContain(MARK);
  });
});

describe("a model in the settings", () => {
  const LLM = { LLM_BASE_URL: "https://llm.example/v1", LLM_MODEL: "m" };

  test("[O23] an address and a name are enough", () => {
    expect(settingsOf({ JWT_SECRET: SECRET, ...LLM, LLM_CONTEXT_TOKENS: "64000" })).toMatchObject({
      value: {
        model: {
          source: { kind: "llm", base_url: LLM.LLM_BASE_URL, model: "m" },
          context_tokens: 64_000,
          max_output_tokens: 4_096,
        },
      },
    });
  });

  test("[O23] a key alone names no model", () => {
    expect(settingsOf({ JWT_SECRET: SECRET, LLM_API_KEY: "sk" })).toMatchObject({ ok: true });
  });

  test("[O23] the model answers, and the advisor finishes what it has begun", () => {
    const names = (env: object) => chosenAgents({ JWT_SECRET: SECRET, ...env }).map(({ name }) => name);
    expect(names({})).toEqual(["advisor"]);
    expect(names(LLM)).toEqual(["model", "advisor"]);
    expect(names({ WORKERS_AI_MODEL: "@cf/m", AI: { run: () => {} } })).toEqual(["model", "advisor"]);
    // The platform's binding is an instance: what it can do is in its class.
    class Ai {
      run() {}
    }
    expect(names({ WORKERS_AI_MODEL: "@cf/m", AI: new Ai() })).toEqual(["model", "advisor"]);
    expect(names({ ...LLM, LLM_MODEL: "" })).toEqual(["advisor"]);
  });

  test.each([
    ["LLM_MODEL", { LLM_BASE_URL: LLM.LLM_BASE_URL }],
    ["LLM_BASE_URL", { LLM_MODEL: "m" }],
    ["LLM_BASE_URL", { ...LLM, LLM_BASE_URL: "http://llm.example" }],
    ["LLM_BASE_URL", { ...LLM, LLM_BASE_URL: "https://user:secret@llm.example" }],
    ["LLM_BASE_URL", { ...LLM, LLM_BASE_URL: "llm" }],
    ["LLM_API_KEY", { ...LLM, LLM_API_KEY: "" }],
    ["LLM_API_KEY", { ...LLM, LLM_API_KEY: "sk-secret–1" }],
    ["LLM_API_KEY", { ...LLM, LLM_API_KEY: "sk-secret\n" }],
    ["LLM_API_KEY", { ...LLM, LLM_API_KEY: "two secrets" }],
    ["LLM_SYSTEM_PROMPT", { ...LLM, LLM_SYSTEM_PROMPT: "" }],
    ["LLM_CONTEXT_TOKENS", { ...LLM, LLM_CONTEXT_TOKENS: "many" }],
    ["LLM_MAX_OUTPUT_TOKENS", { ...LLM, LLM_MAX_OUTPUT_TOKENS: 20_000 }],
    ["WORKERS_AI_MODEL", { ...LLM, WORKERS_AI_MODEL: "@cf/m", AI: { run: () => {} } }],
    ["WORKERS_AI_MODEL", { LLM_MODEL: "m", WORKERS_AI_MODEL: "@cf/m", AI: { run: () => {} } }],
    ["AI", { WORKERS_AI_MODEL: "@cf/m" }],
    ["AI", { WORKERS_AI_MODEL: "@cf/m", AI: "x" }],
    ["AI", { WORKERS_AI_MODEL: "@cf/m", AI: {} }],
    ["AI", { WORKERS_AI_MODEL: "@cf/m", AI: { run: "x" } }],
  ])("[O23] %s is named where it is wrong: %j", (field, env) => {
    const result = settingsOf({ JWT_SECRET: SECRET, ...env });
    expect(result).toMatchObject({ ok: false, refusal: { code: "not_configured", field } });
    if (!result.ok) expect(result.refusal.message).toMatch(new RegExp(`^${field} must`));
    if (!result.ok) expect(result.refusal.message).not.toContain("secret");
  });
});
