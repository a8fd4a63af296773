import { describe, expect, test } from "vitest";
import { settingsOf } from "../../src/config/settings.ts";
import { SECRET } from "../support/tokens.ts";

const URL = "https://agent.example/ag-ui?graph=a";

describe("the settings of a remote agent", () => {
  test("[R18] are an address, a token and a name; without an address there is none", () => {
    const of = (variables: object) => {
      const settings = settingsOf({ JWT_SECRET: SECRET, ...variables });
      return settings.ok ? settings.value.remote_agent : settings.refusal;
    };
    expect(of({ AGENT_URL: URL })).toEqual({ url: URL, name: "remote" });
    const all = { AGENT_URL: URL, AGENT_TOKEN: "a.b~c/=", AGENT_NAME: "Ada" };
    expect(of(all)).toEqual({ url: URL, token: "a.b~c/=", name: "Ada" });
    expect(of({ AGENT_TOKEN: "t", AGENT_NAME: "Ada" })).toBeUndefined();
  });

  test.each(["http://localhost:8000/", "http://127.0.0.1:8000", "http://[::1]/a"])(
    "[R18] without encryption only on this machine: %s",
    (AGENT_URL) => {
      expect(settingsOf({ JWT_SECRET: SECRET, AGENT_URL }).ok).toBe(true);
    },
  );

  test.each([
    ["AGENT_URL", ""],
    ["AGENT_URL", "agent-of-mine"],
    ["AGENT_URL", "http://agent.example/"],
    ["AGENT_URL", "http://localhost.example/"],
    ["AGENT_URL", "https://user:word@agent.example/"],
    ["AGENT_URL", "https://user@agent.example/"],
    ["AGENT_URL", "https://agent.example/#secret"],
    ["AGENT_URL", "file:///etc/agent"],
    ["AGENT_URL", 7],
    ["AGENT_TOKEN", ""],
    ["AGENT_TOKEN", "two words"],
    ["AGENT_TOKEN", "line\r\nX-Evil: 1"],
    ["AGENT_TOKEN", "schlüssel"],
    ["AGENT_NAME", ""],
    ["AGENT_NAME", "n".repeat(65)],
  ])("[R18] %s of %o is not_configured and named, its value is not", (field, value) => {
    const result = settingsOf({ JWT_SECRET: SECRET, AGENT_URL: URL, [field]: value });
    expect(result).toMatchObject({ ok: false, refusal: { code: "not_configured", field } });
    if (result.ok) return;
    expect(result.refusal.message.startsWith(`${field} must`)).toBe(true);
    if (field === "AGENT_URL") expect(result.refusal.message).toMatch(/user, password or fragment/);
    if (value !== "") expect(result.refusal.message).not.toContain(String(value));
  });
});
