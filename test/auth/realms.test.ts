/** Which realm a token belongs to, which keys count there, and what its claims grant. */
import { beforeAll, describe, expect, test } from "vitest";
import { mintToken } from "../../src/auth/mint.ts";
import type { Principal } from "../../src/auth/principal.ts";
import { mintTicket, verifyTicket } from "../../src/auth/ticket.ts";
import { userId } from "../../src/auth/user-id.ts";
import { verifyToken } from "../../src/auth/verify.ts";
import { realms, settings } from "../support/ports.ts";
import { issue, type Jwks, jwksOf, type SigningKey, signingKey } from "../support/provider.ts";
import { claimsOf, SECRET, signRaw, type TestClaims } from "../support/tokens.ts";

const AT_S = 1_800_000_000;
const now = () => AT_S * 1000;

const NEXT = "the-next-secret-of-more-than-thirty-two-bytes";
const ROTATED = { JWT_SECRET: NEXT, JWT_SECRET_PREVIOUS: SECRET };

const ISSUER = "https://id.example";
const KEYS = "https://id.example/keys";

let key: SigningKey;
let jwks: Jwks;
beforeAll(async () => {
  key = await signingKey("ES256", "k");
  jwks = await jwksOf(key);
});

type Realm = Readonly<Record<string, unknown>>;

/** Who a provider's token of these claims is, where the realm is configured like this. */
async function verified(realm: Realm, claims: TestClaims = {}, variables: Realm = {}) {
  const OIDC_REALMS = [{ name: "id", issuer: ISSUER, audience: "chat", jwks_url: KEYS, ...realm }];
  const token = await issue(key, claimsOf({ iss: ISSUER, aud: "chat", ...claims }, AT_S));
  const known = realms({ ...variables, OIDC_REALMS }, { now, fetch: async () => Response.json(jwks) });
  return verifyToken(token, known, now);
}

async function grants(realm: Realm, claims: TestClaims): Promise<unknown> {
  const result = await verified(realm, claims);
  return result.ok ? [result.value.permissions, result.value.plan] : result.refusal.code;
}

describe("a secret that was changed", () => {
  const local = (secret: string) => signRaw(claimsOf({}, AT_S), { secret });

  async function codeOf(token: string, variables: Realm): Promise<string> {
    const result = await verifyToken(token, realms(variables), now);
    return result.ok ? "ok" : result.refusal.code;
  }

  test("[A14] verifies what it signed for as long as it is the previous one", async () => {
    const token = await local(SECRET);
    expect(await codeOf(token, {})).toBe("ok");
    expect(await codeOf(token, ROTATED)).toBe("ok");
    expect(await codeOf(token, { JWT_SECRET: NEXT })).toBe("token_signature");
    expect(await codeOf(await local(NEXT), ROTATED)).toBe("ok");
  });

  test("[A14] leaves everybody who they were", async () => {
    const token = await local(SECRET);
    const before = await verifyToken(token, realms(), now);
    expect(await verifyToken(token, realms(ROTATED), now)).toEqual(before);
  });

  test("[A14] never signs: what is minted needs the new one, tokens and tickets alike", async () => {
    const wanted = { realm: "local", sub: "alice", exp: AT_S + 60, permissions: [], plan: "free" } as const;
    const token = await mintToken(wanted, settings(ROTATED), now);
    expect(await codeOf(token, { JWT_SECRET: NEXT })).toBe("ok");
    expect(await codeOf(token, { JWT_SECRET: SECRET })).toBe("token_signature");

    const who: Principal = { ...wanted, permissions: [], iat: AT_S, user_id: await userId("local", "alice") };
    const ticket = await mintTicket(who, "sixteen-characters", settings(ROTATED), now);
    expect(await verifyTicket(ticket, settings({ JWT_SECRET: NEXT }), now)).toMatchObject({ ok: true });
    expect(await verifyTicket(ticket, settings(), now)).toMatchObject({
      refusal: { code: "token_signature" },
    });
  });

  test("[A14] verifies tickets, too", async () => {
    const who: Principal = {
      user_id: await userId("local", "alice"),
      realm: "local",
      sub: "alice",
      permissions: ["chat"],
      plan: "free",
      iat: AT_S,
      exp: AT_S + 60,
    };
    const ticket = await mintTicket(who, "sixteen-characters", settings(), now);
    expect(await verifyTicket(ticket, settings(ROTATED), now)).toMatchObject({ ok: true, value: { who } });
  });

  test.each([
    ["of neither", {}, { secret: `${SECRET}!` }, "token_signature"],
    ["of the previous one with another algorithm", {}, { alg: "HS384" }, "token_algorithm"],
    ["of the previous one that has expired", { exp: AT_S - 30 }, {}, "token_expired"],
    ["of the previous one without sub", { sub: undefined }, {}, "token_claims"],
    ["of the previous one for another purpose", {}, { header: { typ: "logout+jwt" } }, "token_claims"],
  ])("[A14] does not help a token %s", async (_, claims, signing, code) => {
    expect(await codeOf(await signRaw(claimsOf(claims, AT_S), signing), ROTATED)).toBe(code);
  });

  test("[A14] is no secret of a provider's", async () => {
    const OIDC_REALMS = [{ name: "id", issuer: ISSUER, audience: "chat", jwks_url: KEYS }];
    const token = await signRaw(claimsOf({ iss: ISSUER, aud: "chat" }, AT_S));
    expect(await codeOf(token, { ...ROTATED, OIDC_REALMS })).toBe("token_algorithm");
  });
});

describe("a provider's token", () => {
  test("[A15] belongs to that realm, whoever has the same subject elsewhere", async () => {
    expect(await verified({}, { auth_time: AT_S - 5 })).toEqual({
      ok: true,
      value: {
        user_id: await userId("id", "alice"),
        realm: "id",
        sub: "alice",
        permissions: ["chat", "agents"],
        plan: "free",
        iat: AT_S,
        auth_time: AT_S - 5,
        exp: AT_S + 3600,
      },
    });
  });

  test("[A15] may name its realm", async () => {
    expect(await verified({}, { realm: "id" })).toMatchObject({ ok: true, value: { realm: "id" } });
  });

  test("[A15] is not asked for the issuer and audience of ours", async () => {
    const ours = { JWT_ISSUER: "us", JWT_AUDIENCE: "us" };
    expect(await verified({}, {}, ours)).toMatchObject({ ok: true });
  });

  test.each([
    ["one of several audiences", { audience: ["chat", "api"] }, { aud: "api" }, "ok"],
    ["another audience", { audience: ["chat", "api"] }, { aud: "chat api" }, "token_audience"],
    ["several audiences, where nobody asks for azp", {}, { aud: ["chat", "b"] }, "ok"],
    ["any azp, where nobody asks for it", {}, { azp: "b" }, "ok"],
    ["no party, where none is asked for", {}, { aud: ["chat"] }, "ok"],
    ["no party, where one is asked for", { authorized_parties: "web" }, { aud: "chat" }, "token_claims"],
    ["a client_id, where there is no azp", { authorized_parties: "web" }, { client_id: "web" }, "ok"],
    ["a foreign client_id", { authorized_parties: "web" }, { client_id: "b" }, "token_claims"],
    ["any client_id, where nobody asks for it", {}, { client_id: 7 }, "ok"],
    ["an authorized party", { authorized_parties: ["web", "app"] }, { azp: "app" }, "ok"],
    ["a foreign party", { authorized_parties: ["web", "app"] }, { azp: "web app" }, "token_claims"],
    ["several audiences and no party", { authorized_parties: "web" }, { aud: ["chat", "b"] }, "token_claims"],
    ["an algorithm that is not that realm's", { algorithms: ["RS256"] }, {}, "token_algorithm"],
  ])("[A15] for %s is judged as configured", async (_, realm, claims, code) => {
    const result = await verified(realm, claims);
    expect(result.ok ? "ok" : result.refusal.code).toBe(code);
  });

  test("[A4] that ends within a second ends at its beginning", async () => {
    expect(await verified({}, { exp: AT_S + 60.75 })).toMatchObject({ value: { exp: AT_S + 60 } });
  });
});

describe("what a provider's claims grant", () => {
  const ORDINARY = [["chat", "agents"], "free"];
  const NOTHING = [[], "free"];

  test("[A18] is chat, agents and free where no rule says otherwise, whatever they claim", async () => {
    const claims = {
      permissions: ["admin", "service"],
      plan: "enterprise",
      scope: "admin",
      roles: ["admin"],
    };
    expect(await grants({}, claims)).toEqual(ORDINARY);
    expect(await grants({}, { permissions: "admin", plan: 7 })).toEqual(ORDINARY);
  });

  const byRole = (claim: string, more: Realm = {}) => ({
    permissions: { claim, grants: { member: ["chat"], staff: ["agents", "chat"], root: ["admin"], ...more } },
  });

  test.each<[string, string, TestClaims, readonly string[]]>([
    ["a list", "roles", { roles: ["member"] }, ["chat"]],
    ["a list of several", "roles", { roles: ["root", "staff", "member"] }, ["chat", "agents", "admin"]],
    ["one text", "role", { role: "staff" }, ["chat", "agents"]],
    ["a text with spaces", "scope", { scope: "openid member  root" }, ["chat", "admin"]],
    ["a list in an object", "realm_access.roles", { realm_access: { roles: ["staff"] } }, ["chat", "agents"]],
    [
      "an object in an object",
      "resource_access.chat.roles",
      { resource_access: { chat: { roles: ["root"] } } },
      ["admin"],
    ],
    [
      "a claim named by an address",
      "https://id.example/roles",
      { "https://id.example/roles": ["root"] },
      ["admin"],
    ],
    ["a claim with a dot in its name", "app.roles", { "app.roles": ["member"] }, ["chat"]],
    [
      "a claim with a dot in its name before a nested one",
      "app.roles",
      { "app.roles": ["member"], app: { roles: ["root"] } },
      ["chat"],
    ],
  ])("[A18] is read from %s", async (_, claim, claims, permissions) => {
    expect(await grants(byRole(claim), claims)).toEqual([permissions, "free"]);
  });

  test.each<[string, string, TestClaims]>([
    ["is missing", "roles", {}],
    ["is nested and missing", "realm_access.roles", { realm_access: {} }],
    ["is nested in a text", "realm_access.roles", { realm_access: "roles" }],
    ["is nested in null", "realm_access.roles", { realm_access: null }],
    ["has values that nothing is granted for", "roles", { roles: ["guest", "Root", "root ", ""] }],
    ["has the names of permissions", "roles", { roles: ["admin", "chat", "service"] }],
    ["is a number", "roles", { roles: 7 }],
    ["is an object", "roles", { roles: { root: true } }],
    ["is a list in a list", "roles", { roles: [["root"]] }],
    ["is a list with a number in it", "roles", { roles: ["root", 7] }],
    ["separates values with commas", "scope", { scope: "root,member" }],
    [
      "has values of every object's prototype",
      "roles",
      { roles: ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"] },
    ],
    ["has a text of such values", "scope", { scope: "constructor __proto__ toString" }],
  ])("[A18] is nothing where the claim %s", async (_, claim, claims) => {
    expect(await grants(byRole(claim), claims)).toEqual(NOTHING);
  });

  test.each(["constructor", "__proto__", "toString", "roles.length", "roles.constructor.name", "."])(
    "[A18] is nothing where the rule reads %s, which no claim is",
    async (claim) => {
      const every = { Array: ["admin"], Object: ["admin"], "1": ["admin"] };
      expect(await grants(byRole(claim, every), { roles: ["root"] })).toEqual(NOTHING);
    },
  );

  test("[A18] is what a claim called like the prototype says, and no more", async () => {
    const claims: TestClaims = JSON.parse('{"constructor":["member"]}');
    expect(await grants(byRole("constructor"), claims)).toEqual([["chat"], "free"]);
  });

  const byTier = { plan: { claim: "tier", plans: { gold: "pro", platinum: "enterprise", none: "free" } } };

  test.each([
    ["a known value", { tier: "gold" }, "pro"],
    ["the first known one of a list", { tier: ["basic", "platinum", "gold"] }, "enterprise"],
    ["the first known one of a text", { tier: "basic gold" }, "pro"],
    ["a value that means free", { tier: "none" }, "free"],
    ["an unknown value", { tier: "diamond" }, "free"],
    ["the name of a plan", { tier: "enterprise" }, "free"],
    ["a name of the prototype's", { tier: ["constructor", "__proto__"] }, "free"],
    ["no claim", {}, "free"],
    ["a claim of ours", { plan: "enterprise" }, "free"],
    ["a number", { tier: 1 }, "free"],
  ])("[A18] with %s is the plan the rule says", async (_, claims, plan) => {
    expect(await grants(byTier, claims)).toEqual([["chat", "agents"], plan]);
  });

  test("[A18] follows one rule for permissions and another for the plan", async () => {
    const claims = { roles: ["root"], tier: "gold" };
    expect(await grants({ ...byRole("roles"), ...byTier }, claims)).toEqual([["admin"], "pro"]);
  });
});
