/** Every bad upgrade, as a status to whoever can read one and as a close code to a browser. */
import { describe, expect, test } from "vitest";
import { errorFrame } from "../../src/protocol/replies.ts";
import { countSessions, listen, send, type UpgradeInit, upgradeOf, type Variables } from "../support/edge.ts";
import { nowS, rs256Token, SECRET, signToken, tamper, unsignedToken } from "../support/tokens.ts";

interface BadUpgrade {
  readonly what: string;
  readonly code: string;
  readonly status: number;
  readonly close: number;
  readonly init: () => Promise<UpgradeInit>;
  readonly variables?: Variables;
}

function badToken(what: string, code: string, make: () => Promise<string> | string): BadUpgrade {
  const close = code === "token_expired" ? 4100 : 4101;
  return { what, code, status: 401, close, init: async () => ({ token: await make() }) };
}

const BAD: readonly BadUpgrade[] = [
  { what: "no token", code: "token_missing", status: 401, close: 4101, init: async () => ({}) },
  badToken("garbage for a token", "token_malformed", () => "garbage"),
  badToken("an empty token", "token_malformed", () => ""),
  badToken("an oversize token", "token_malformed", () => "x".repeat(8193)),
  badToken("a token signed with another secret", "token_signature", () =>
    signToken({}, { secret: `${SECRET}!` }),
  ),
  badToken("a token whose claims were changed", "token_signature", async () =>
    tamper(await signToken(), { sub: "bob" }),
  ),
  badToken("an unsigned token", "token_algorithm", () => unsignedToken()),
  badToken("a token signed with RS256", "token_algorithm", () => rs256Token()),
  badToken("a token signed with HS512", "token_algorithm", () =>
    signToken({}, { alg: "HS512", secret: SECRET.repeat(2) }),
  ),
  badToken("an expired token", "token_expired", () => signToken({ exp: nowS() - 31 })),
  badToken("a token not valid before a minute from now", "token_not_yet_valid", () =>
    signToken({ nbf: nowS() + 60 }),
  ),
  badToken("a token issued a minute from now", "token_not_yet_valid", () => signToken({ iat: nowS() + 60 })),
  badToken("a token without sub", "token_claims", () => signToken({ sub: undefined })),
  badToken("a token whose sub is a number", "token_claims", () => signToken({ sub: 7 })),
  badToken("a token of another realm", "token_claims", () => signToken({ realm: "google" })),
  {
    ...badToken("a token of another issuer", "token_issuer", () => signToken({ iss: "them" })),
    variables: { JWT_ISSUER: "us" },
  },
  {
    ...badToken("a token for another audience", "token_audience", () => signToken({ aud: "them" })),
    variables: { JWT_AUDIENCE: "us" },
  },
  {
    what: "a token without the permission chat",
    code: "forbidden",
    status: 403,
    close: 4003,
    init: async () => ({ token: await signToken({ permissions: ["agents", "admin"] }) }),
  },
  {
    what: "a page on a foreign origin",
    code: "origin_forbidden",
    status: 403,
    close: 4003,
    init: async () => ({ token: await signToken(), origin: "https://evil.example" }),
  },
  {
    what: "an overlong query",
    code: "invalid_payload",
    status: 400,
    close: 4000,
    init: async () => ({ token: await signToken(), path: `/v1/ws?client_id=${"x".repeat(257)}` }),
  },
  {
    what: "no secret configured",
    code: "not_configured",
    status: 503,
    close: 4205,
    init: async () => ({ token: await signToken() }),
    variables: { JWT_SECRET: undefined },
  },
];

describe("a bad upgrade", () => {
  test.each(BAD)("[E3] with $what is answered $status $code", async ({ code, status, init, variables }) => {
    const touched: string[] = [];
    const USER_SESSION = { getByName: (name: string) => touched.push(name) };
    const response = await send(upgradeOf(await init()), { ...variables, USER_SESSION });
    expect(response.status).toBe(status);
    expect(response.webSocket).toBeNull();
    expect(await response.json()).toMatchObject({ error: { code, message: expect.any(String) } });
    expect(touched).toEqual([]);
  });

  test.each(BAD)(
    "[E4] with $what that offers throughline.v1 is told $code and closed with $close",
    async ({ code, close, init, variables }) => {
      const before = await countSessions();
      const response = await send(upgradeOf({ ...(await init()), offers: ["throughline.v1"] }), variables);
      expect(response.status).toBe(101);
      const told = await listen(response);
      expect(told).toMatchObject({
        subprotocol: "throughline.v1",
        frames: [{ type: "error", payload: { code, fatal: true } }],
        code: close,
      });
      expect(errorFrame.safeParse(told.frames[0]).success).toBe(true);
      expect(await countSessions()).toBe(before);
    },
  );

  test.each([
    ["a wrong method", { method: "POST" }, 405, "method_not_allowed", "Allow", "GET"],
    ["a method of browsers asking first", { method: "OPTIONS" }, 405, "method_not_allowed", "Allow", "GET"],
    ["no Upgrade header", { upgrade: false }, 426, "upgrade_required", "Upgrade", "websocket"],
  ])("[E3] with %s gets a status, whatever it offers", async (_, init, status, code, header, value) => {
    for (const offers of [[], ["throughline.v1"]]) {
      // Handed to the app itself: on its way through a binding, workerd makes every upgrade a GET.
      const response = await send(upgradeOf({ ...init, offers, token: await signToken() }), {});
      expect(response.status).toBe(status);
      expect(response.headers.get(header)).toBe(value);
      expect(await response.json()).toMatchObject({ error: { code } });
    }
  });

  test("[E3] is checked in one order: method, Upgrade, settings, origin, version, credential", async () => {
    const all = {
      method: "POST",
      upgrade: false,
      origin: "https://evil.example",
      offers: ["throughline.v9"],
    };
    const unset = { JWT_SECRET: undefined };
    const codes = [
      await codeOf(all, unset),
      await codeOf({ ...all, method: "GET" }, unset),
      await codeOf({ ...all, method: "GET", upgrade: true }, unset),
      await codeOf({ ...all, method: "GET", upgrade: true }),
      await codeOf({ offers: ["throughline.v9"] }),
      await codeOf({}),
    ];
    expect(codes).toEqual([
      "method_not_allowed",
      "upgrade_required",
      "not_configured",
      "origin_forbidden",
      "unsupported_version",
      "token_missing",
    ]);
  });

  test("[E3] without a token is challenged, with a bad one is told which error it was", async () => {
    const missing = await send(upgradeOf({}));
    expect(missing.headers.get("WWW-Authenticate")).toBe('Bearer realm="throughline"');
    const expired = await send(upgradeOf({ token: await signToken({ exp: 1 }) }));
    expect(expired.headers.get("WWW-Authenticate")).toBe(
      'Bearer realm="throughline", error="invalid_token", error_description="the token has expired"',
    );
  });
});

describe("the credential", () => {
  test("[E5] in the URL is no credential", async () => {
    const token = await signToken();
    for (const name of ["token", "access_token", "jwt"]) {
      expect(await codeOf({ path: `/v1/ws?${name}=${token}` })).toBe("token_missing");
    }
  });

  test("[E5] in the subprotocol decides, be the one in the header good", async () => {
    const expired = await signToken({ exp: nowS() - 60 });
    const response = await send(
      upgradeOf({ offers: ["throughline.v1", `jwt.${expired}`], token: await signToken() }),
    );
    expect(await listen(response)).toMatchObject({ code: 4100, reason: "token_expired" });
  });
});

describe("the version", () => {
  test.each([
    ["another version of ours", "/v1/ws", ["throughline.v2"]],
    ["a token but no version", "/v1/ws", ["jwt.a.b.c"]],
    ["nothing on /ws", "/ws", []],
    ["another protocol on /ws", "/ws", ["graphql-ws"]],
  ])("[E6] whoever offers %s is told unsupported_version", async (_, path, offers) => {
    const response = await send(upgradeOf({ path, offers, token: await signToken() }));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: "unsupported_version", message: expect.stringContaining("throughline.v1") },
    });
  });
});

async function codeOf(init: UpgradeInit, variables?: Variables): Promise<unknown> {
  const body: { error?: { code?: unknown } } = await (await send(upgradeOf(init), variables)).json();
  return body.error?.code;
}
