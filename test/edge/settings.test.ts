import { describe, expect, test } from "vitest";
import { settingsOf } from "../../src/config/settings.ts";
import { DEFAULT_PLANS } from "../../src/protocol/limits.ts";
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
