import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";
import { firstFrame, HOST, send, upgradeOf, type Variables } from "../support/edge.ts";

const LOCAL = "http://localhost:8787";
const DEVELOPMENT = { ENVIRONMENT: "development" };

interface Ask {
  readonly host?: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly origin?: string;
  readonly method?: string;
}

/** @param body sent as it is if it is a text, as JSON otherwise */
function ask({
  host = LOCAL,
  body = { sub: "alice" },
  type = "application/json",
  origin,
  method = "POST",
}: Ask) {
  const headers = new Headers({ "Content-Type": type });
  if (origin !== undefined) headers.set("Origin", origin);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Request(new URL("/v1/dev/token", host), {
    method,
    headers,
    ...(method === "POST" && { body: text }),
  });
}

async function answer(what: Ask, variables: Variables = DEVELOPMENT) {
  const response = await send(ask(what), variables);
  const body: Record<string, unknown> = await response.json();
  return { status: response.status, headers: response.headers, body };
}

async function claims(what: Ask) {
  const { body } = await answer(what);
  return decodeJwt(String(body.token));
}

describe("where dev tokens exist", () => {
  test.each([LOCAL, "http://127.0.0.1:8787", "http://127.9.9.9", "http://[::1]:8787"])(
    "[E9] in development on %s",
    async (host) => {
      expect(await answer({ host })).toMatchObject({ status: 200 });
    },
  );

  test.each([
    ["in production", { host: LOCAL }, { ENVIRONMENT: "production" }],
    ["where ENVIRONMENT is not set", { host: LOCAL }, { ENVIRONMENT: undefined }],
    ["on a public host", { host: HOST }, DEVELOPMENT],
    ["on a name under localhost", { host: "http://a.localhost:8787" }, DEVELOPMENT],
    [
      "on a name that begins like an address of this machine",
      { host: "http://127.0.0.1.evil.example" },
      DEVELOPMENT,
    ],
    ["on another address", { host: "http://128.0.0.1" }, DEVELOPMENT],
    ["on a public host without a secret", { host: HOST }, { ...DEVELOPMENT, JWT_SECRET: undefined }],
    ["in production, whatever the method", { host: LOCAL, method: "GET" }, { ENVIRONMENT: "production" }],
  ])("[E9] not %s: the answer is that of a route that does not exist", async (_, what, variables) => {
    const unknown = await send(new Request(`${LOCAL}/v1/nothing`), variables);
    const { status, body } = await answer(what, variables);
    expect([status, body]).toEqual([404, await unknown.json()]);
  });

  test("[E9] and there a missing secret is named", async () => {
    expect(await answer({}, { ...DEVELOPMENT, JWT_SECRET: undefined })).toMatchObject({
      status: 503,
      body: { error: { code: "not_configured", field: "JWT_SECRET" } },
    });
  });
});

describe("a dev token", () => {
  test("[E10] is an ordinary user's for an hour", async () => {
    const { body, headers } = await answer({});
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(body).toEqual({
      token: expect.any(String),
      user_id: await userId("local", "alice"),
      expires_in_ms: 3_600_000,
    });
    const { iat = 0, exp = 0, ...rest } = decodeJwt(String(body.token));
    expect(exp - iat).toBe(3600);
    expect(rest).toMatchObject({
      sub: "alice",
      permissions: ["chat", "agents"],
      plan: "free",
      auth_time: iat,
    });
  });

  test("[E10] has what is asked for by name", async () => {
    const body = { sub: "ops", ttl_s: 60, permissions: ["service", "admin"], plan: "enterprise" };
    expect(await claims({ body })).toMatchObject({
      sub: "ops",
      permissions: ["service", "admin"],
      plan: "enterprise",
    });
  });

  test.each([1, 86_400])("[E10] may live %i s", async (ttl_s) => {
    const { iat = 0, exp = 0 } = await claims({ body: { sub: "alice", ttl_s } });
    expect(exp - iat).toBe(ttl_s);
  });

  test("[E10] opens the door to its user's session", async () => {
    const { body } = await answer({ body: { sub: crypto.randomUUID() } });
    const response = await send(upgradeOf({ token: String(body.token) }));
    expect(await firstFrame(response)).toMatchObject({ payload: { user_id: body.user_id } });
  });
});

describe("a bad request for one", () => {
  test.each([
    ["no sub", {}, "sub"],
    ["an empty sub", { sub: "" }, "sub"],
    ["a sub too long", { sub: "x".repeat(256) }, "sub"],
    ["a sub that is no text", { sub: 7 }, "sub"],
    ["no time to live", { sub: "a", ttl_s: 0 }, "ttl_s"],
    ["too long a life", { sub: "a", ttl_s: 86_401 }, "ttl_s"],
    ["half a second", { sub: "a", ttl_s: 1.5 }, "ttl_s"],
    ["a life that is a text", { sub: "a", ttl_s: "60" }, "ttl_s"],
    ["an unknown permission", { sub: "a", permissions: ["chat", "root"] }, "permissions.1"],
    ["permissions in a text", { sub: "a", permissions: "admin" }, "permissions"],
    ["an unknown plan", { sub: "a", plan: "gold" }, "plan"],
  ])("[E11] with %s is 400 invalid_payload and named", async (_, body, field) => {
    expect(await answer({ body })).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_payload", field } },
    });
  });

  test.each([
    ["is not JSON", "{"],
    ["is empty", ""],
    ["is a list", "[]"],
    ["is null", "null"],
  ])("[E11] whose body %s is 400 bad_json", async (_, body) => {
    expect(await answer({ body })).toMatchObject({ status: 400, body: { error: { code: "bad_json" } } });
  });

  test("[E11] that has no body at all is 400 bad_json", async () => {
    const headers = { "Content-Type": "application/json" };
    const response = await send(
      new Request(`${LOCAL}/v1/dev/token`, { method: "POST", headers }),
      DEVELOPMENT,
    );
    expect(await response.json()).toMatchObject({ error: { code: "bad_json" } });
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])(
    "[E11] of the type %s is 400 naming Content-Type",
    async (type) => {
      expect(await answer({ type })).toMatchObject({
        status: 400,
        body: { error: { field: "Content-Type" } },
      });
    },
  );

  test.each([
    [4096, 200],
    [4097, 413],
  ])("[E11] of %i bytes is answered %i", async (length, status) => {
    const start = '{"sub":"alice","pad":"';
    const body = `${start}${"x".repeat(length - start.length - 2)}"}`;
    expect((await answer({ body, type: "application/json; charset=utf-8" })).status).toBe(status);
  });

  test("[E11] from a foreign page is 403 origin_forbidden, from the own page it is good", async () => {
    expect(await answer({ origin: "http://evil.example" })).toMatchObject({ status: 403 });
    expect(await answer({ origin: LOCAL })).toMatchObject({ status: 200 });
  });

  test("[E11] by another method is 405", async () => {
    const { status, headers } = await answer({ method: "GET" });
    expect([status, headers.get("Allow")]).toEqual([405, "POST"]);
  });
});
