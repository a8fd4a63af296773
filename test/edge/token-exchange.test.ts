/** A provider's token for one of ours (RFC 8693). */
import { env } from "cloudflare:workers";
import { decodeJwt } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";
import { createApp } from "../../src/edge/app.ts";
import { countSessions, firstFrame, HOST, upgradeOf } from "../support/edge.ts";
import { IdentityProvider } from "../support/identity-provider.ts";
import { edgePorts } from "../support/ports.ts";
import { nowS, signToken } from "../support/tokens.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const TYPE = "urn:ietf:params:oauth:token-type:";

let acme: IdentityProvider;

beforeAll(async () => {
  acme = await IdentityProvider.start("acme");
});

/** One Worker with its settings, so that its keys are fetched once. */
function worker(realm: Readonly<Record<string, unknown>> = {}) {
  const app = createApp(edgePorts({ fetch: acme.fetch }));
  const variables = { ...env, OIDC_REALMS: JSON.stringify([acme.realm("acme", realm)]) };
  return (request: Request) => app.fetch(request, variables);
}

type Fields = Readonly<Record<string, string | undefined>>;

function ask(fields: Fields, headers: Readonly<Record<string, string>> = {}): Request {
  const body = new URLSearchParams();
  const all: Fields = { grant_type: GRANT, subject_token_type: `${TYPE}id_token`, ...fields };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) body.set(name, value);
  return new Request(new URL("/v1/auth/token", HOST), { method: "POST", body, headers });
}

async function exchanged(fields: Fields, realm?: Readonly<Record<string, unknown>>) {
  const response = await worker(realm)(ask(fields));
  const body: any = await response.json();
  return { status: response.status, headers: response.headers, body };
}

describe("exchanging a token", () => {
  test("[A20] gives one of ours for the same user, as old as the login", async () => {
    const send = worker();
    const at = nowS();
    const subject_token = await acme.token({ sub: "ann", exp: at + 600, auth_time: at - 100 });
    const response = await send(ask({ subject_token }));
    const body: any = await response.json();
    expect([response.status, response.headers.get("Cache-Control")]).toEqual([200, "no-store"]);
    expect(body).toEqual({
      access_token: expect.any(String),
      issued_token_type: `${TYPE}access_token`,
      token_type: "Bearer",
      expires_in: expect.any(Number),
      scope: "chat agents",
    });
    expect(decodeJwt(body.access_token)).toMatchObject({
      realm: "acme",
      sub: "ann",
      auth_time: at - 100,
      exp: at + 600,
      permissions: ["chat", "agents"],
      plan: "free",
    });
    for (const token of [subject_token, body.access_token]) {
      const greeting: any = await firstFrame(await send(upgradeOf({ token })));
      expect(greeting.payload.user_id).toBe(await userId("acme", "ann"));
    }
  });

  test.each(["access_token", "id_token", "jwt"])("[A20] takes a token as %s", async (type) => {
    const subject_token = await acme.token();
    const fields = { subject_token_type: TYPE + type, subject_token, requested_token_type: `${TYPE}jwt` };
    expect((await exchanged(fields)).status).toBe(200);
  });

  test("[A20] lives 15 minutes at most, and is as old as the token where no login is named", async () => {
    const iat = nowS() - 50;
    const { body } = await exchanged({ subject_token: await acme.token({ iat, exp: nowS() + 7_200 }) });
    expect(body.expires_in).toBe(900);
    expect(decodeJwt(body.access_token).auth_time).toBe(iat);
  });

  test("[A20] [A23] is never younger than the token, whatever login it names", async () => {
    const iat = nowS() - 50;
    const subject_token = await acme.token({ iat, auth_time: nowS() + 1e6 });
    const { body } = await exchanged({ subject_token });
    expect(decodeJwt(body.access_token).auth_time).toBe(iat);
  });

  test("[A20] gives nothing of a token that only the tolerance for clocks keeps alive", async () => {
    const subject_token = await acme.token({ exp: nowS() - 10 });
    expect(await exchanged({ subject_token })).toMatchObject({
      status: 400,
      body: { error: "invalid_request", code: "token_expired" },
    });
  });

  test.each([
    ["chat", ["chat"], "chat"],
    ["agents chat agents", ["chat", "agents"], "chat agents"],
    ["openid chat profile", ["chat"], "chat"],
  ])("[A20] is narrowed by the scope %s", async (scope, permissions, given) => {
    const { body } = await exchanged({ subject_token: await acme.token(), scope });
    expect(body.scope).toBe(given);
    expect(decodeJwt(body.access_token).permissions).toEqual(permissions);
  });

  const POWERFUL = {
    permissions: { claim: "groups", grants: { ops: ["chat", "service", "admin"], read: ["service"] } },
    plan: { claim: "tier", plans: { gold: "enterprise" } },
  };

  test("[A20] never gives service or admin, whoever asks for them", async () => {
    const subject_token = await acme.token({ groups: ["ops"], tier: "gold" });
    const { body } = await exchanged({ subject_token, scope: "chat service admin" }, POWERFUL);
    expect(decodeJwt(body.access_token)).toMatchObject({ permissions: ["chat"], plan: "enterprise" });
  });

  test.each([
    ["service", ["ops"]],
    ["agents", ["ops"]],
    ["unknown", ["ops"]],
    [undefined, ["read"]],
  ])("[A20] of the scope %s for %s is invalid_scope", async (scope, groups) => {
    const answer = await exchanged({ subject_token: await acme.token({ groups }), scope }, POWERFUL);
    expect(answer).toMatchObject({ status: 403, body: { error: "invalid_scope", code: "forbidden" } });
  });

  test("[A20] refuses tokens of ours, so that no login lasts for ever", async () => {
    const send = worker();
    const first: any = await (await send(ask({ subject_token: await acme.token() }))).json();
    for (const subject_token of [first.access_token, await signToken()]) {
      const answer = await send(ask({ subject_token }));
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: "invalid_request", code: "token_issuer" });
    }
  });

  test.each([
    ["another grant", { grant_type: "password" }, "unsupported_grant_type", "grant_type"],
    ["no grant", { grant_type: undefined }, "unsupported_grant_type", "grant_type"],
    ["no token", { subject_token: undefined }, "invalid_request", "subject_token"],
    ["an empty token", { subject_token: "" }, "invalid_request", "subject_token"],
    ["no type of token", { subject_token_type: undefined }, "invalid_request", "subject_token_type"],
    ["a SAML token", { subject_token_type: `${TYPE}saml2` }, "invalid_request", "subject_token_type"],
    [
      "a refresh token wanted",
      { requested_token_type: `${TYPE}refresh_token` },
      "invalid_request",
      "requested_token_type",
    ],
    ["an actor", { actor_token: "a.b.c" }, "invalid_request", "actor_token"],
  ])("[A20] with %s is refused and named", async (_, fields, error, field) => {
    const answer = await exchanged({ subject_token: await acme.token(), ...fields });
    expect(answer).toMatchObject({ status: 400, body: { error, code: "invalid_payload", field } });
    expect(answer.body.error_description).not.toContain("a.b.c");
  });

  test.each([
    ["that has expired", { exp: nowS() - 60 }, "token_expired"],
    ["for somebody else", { aud: "others" }, "token_audience"],
    ["without a subject", { sub: undefined }, "token_claims"],
  ])("[A20] of a token %s is 400 with its own code", async (_, claims, code) => {
    const answer = await exchanged({ subject_token: await acme.token(claims) });
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_request", code } });
  });

  test.each([
    ["no token at all", "garbage", "token_malformed"],
    ["one of 8,193 bytes", "x".repeat(8_193), "token_malformed"],
  ])("[A20] of %s is refused", async (_, subject_token, code) => {
    expect(await exchanged({ subject_token })).toMatchObject({ status: 400, body: { code } });
  });

  test("[A3] [A20] of a good one that is too long is refused with the limit", async () => {
    const subject_token = await acme.token({ pad: "x".repeat(8_192) });
    const body = { code: "token_malformed", limit: 8_192 };
    expect(await exchanged({ subject_token })).toMatchObject({ status: 400, body });
  });

  test("[A20] while the provider is away says when to come back", async () => {
    acme.up = false;
    const answer = await exchanged({ subject_token: await acme.token() });
    acme.up = true;
    expect(answer).toMatchObject({
      status: 503,
      body: { error: "temporarily_unavailable", code: "auth_unavailable" },
    });
    expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
  });

  test.each([
    ["JSON", "application/json", "{}"],
    ["no type", "", "grant_type=x"],
  ])("[A20] as %s is refused", async (_, type, body) => {
    const headers = { "Content-Type": type };
    const request = new Request(new URL("/v1/auth/token", HOST), { method: "POST", body, headers });
    const answer = await worker()(request);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: "invalid_request", field: "Content-Type" });
  });

  test("[A20] with a parameter twice, with too much, or of a foreign page is refused", async () => {
    const form = "application/x-www-form-urlencoded";
    const post = (body: string, headers = {}) =>
      new Request(new URL("/v1/auth/token", HOST), {
        method: "POST",
        body,
        headers: { "Content-Type": form, ...headers },
      });
    const codes = [];
    const origin = { Origin: "https://evil.example" };
    for (const request of [post("scope=a&scope=b"), post("x".repeat(20_000)), post("", origin)]) {
      const answer = await worker()(request);
      const body: any = await answer.json();
      codes.push([answer.status, body.code]);
    }
    expect(codes).toEqual([
      [400, "invalid_payload"],
      [413, "too_large"],
      [403, "origin_forbidden"],
    ]);
  });

  test("[A20] touches no object", async () => {
    const before = await countSessions();
    await exchanged({ subject_token: await acme.token({ sub: crypto.randomUUID() }) });
    expect(await countSessions()).toBe(before);
  });
});
