/** Every token a stranger could think of, at the real door, and what it costs: nothing but an answer. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { MAX_TOKEN_BYTES } from "../../src/auth/credentials.ts";
import { verifyTicket } from "../../src/auth/ticket.ts";
import { verifyToken } from "../../src/auth/verify.ts";
import { createApp } from "../../src/edge/app.ts";
import { closeOf, statusOf } from "../../src/protocol/refusal.ts";
import { refuse } from "../../src/protocol/result.ts";
import { readUpgradeRequest } from "../../src/session/upgrade-request.ts";
import { countSessions, listen, type UpgradeInit, upgradeOf } from "../support/edge.ts";
import {
  ACME_KEYS,
  ALGORITHMS,
  ALL,
  AT_S,
  acmeClaims,
  acmes,
  CLAIMS,
  EXPECTED,
  GLOBEX_KEYS,
  globexClaims,
  goodTicket,
  type Hostile,
  KEYS,
  makeWorld,
  ours,
  PROVIDERS,
  SIGNATURES,
  SPELLING,
  SYNTAX,
  TICKETS,
  TIMES,
  TYPES,
  VARIABLES,
  type World,
} from "../support/hostile-tokens.ts";
import { edgePorts, realms, settings } from "../support/ports.ts";
import { issue } from "../support/provider.ts";

const now = () => AT_S * 1000;

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

/** The providers, and what they were asked for. */
function providers(down = false) {
  const asked: string[] = [];
  const fetch = async (url: string) => {
    asked.push(url);
    const keys = world.published[url];
    if (down || keys === undefined) throw new Error("nobody answers");
    return Response.json(keys);
  };
  return { asked, fetch };
}

/** A Worker that was started just now. */
function worker(fetch: ReturnType<typeof providers>["fetch"], variables: object = {}) {
  const app = createApp(edgePorts({ now, fetch }));
  return (init: UpgradeInit, bindings: object = {}) =>
    app.fetch(upgradeOf(init), { ...env, ...VARIABLES, ...variables, ...bindings });
}

function place(text: string, { kind, inQuery }: Pick<Hostile, "kind" | "inQuery">): UpgradeInit {
  const query = kind === "ticket" || inQuery === true;
  return query ? { path: `/v1/ws?ticket=${encodeURIComponent(text)}` } : { token: text };
}

/** Verified by the function itself. */
function verify(text: string, { kind, variables }: Pick<Hostile, "kind" | "variables">) {
  const set = { ...VARIABLES, ...variables };
  if (kind === "ticket") return verifyTicket(text, settings(set), now);
  return verifyToken(text, realms(set, { now, fetch: providers().fetch }), now);
}

/** The same by the function, as a status, and on a socket; nobody but the providers is asked for anything. */
async function expectRefused(row: Hostile): Promise<void> {
  const text = await row.make(world);
  const about = { code: row.code, ...(row.field !== undefined && { field: row.field }) };
  expect(await verify(text, row)).toMatchObject({ ok: false, refusal: about });

  const { asked, fetch } = providers();
  const send = worker(fetch, row.variables);
  const USER_SESSION = { getByName: () => expect.unreachable("the object was asked for") };
  const answer = await send(place(text, row), { USER_SESSION });
  expect(answer.status).toBe(statusOf(refuse(row.code, "").refusal));
  expect(await answer.json()).toMatchObject({ error: about });

  const before = await countSessions();
  const told = await listen(await send({ ...place(text, row), offers: ["throughline.v1"] }));
  expect(told).toMatchObject({
    frames: [{ type: "error", payload: { ...about, fatal: true } }],
    ...closeOf(refuse(row.code, "").refusal),
  });
  expect(told.frames).toHaveLength(1);
  expect(await countSessions()).toBe(before);
  expect(asked.filter((url) => url !== ACME_KEYS && url !== GLOBEX_KEYS)).toEqual([]);
}

/** What the object is handed for a credential. */
async function admitted(init: UpgradeInit) {
  const names: string[] = [];
  const handed: Request[] = [];
  const fetch = async (request: Request) => {
    handed.push(request);
    return new Response(null, { status: 101, webSocket: new WebSocketPair()[0] });
  };
  const getByName = (name: string) => {
    names.push(name);
    return { fetch };
  };
  const answer = await worker(providers().fetch)(init, { USER_SESSION: { getByName } });
  expect([answer.status, names.length, handed.length]).toEqual([101, 1, 1]);
  return readUpgradeRequest(handed[0]!).shake.principal;
}

describe("without the lie", () => {
  test.each([
    ["of ours", "local", () => ours(world)],
    ["of ours for a provider's user", "acme", () => ours(world, { claims: { realm: "acme" } })],
    ["of a provider's, signed with RSA", "acme", () => issue(world.acme.rsa, acmeClaims())],
    ["of a provider's, signed with ES256", "acme", () => issue(world.acme.ec, acmeClaims())],
    ["of a provider's, signed with EdDSA", "acme", () => issue(world.acme.ed, acmeClaims())],
    ["of a provider's by hand", "acme", () => acmes(world)],
    ["for an authorized party", "acme", () => acmes(world, { claims: { aud: ["chat", "b"], azp: "web" } })],
    ["of a provider's that names no key", "acme", () => acmes(world, { header: { kid: undefined } })],
    ["of the other provider's", "globex", () => issue(world.globex.rsa, globexClaims())],
  ])(
    "[A15] a token %s is taken, so that each of the others is refused for its lie",
    async (_, realm, make) => {
      const token = await make();
      expect(await verify(token, {})).toMatchObject({ ok: true, value: { realm, sub: "alice" } });
      expect(await admitted({ token })).toMatchObject({ realm, sub: "alice" });
    },
  );

  test("[A19] a ticket is taken", async () => {
    const text = await goodTicket(world);
    expect(await admitted(place(text, { kind: "ticket" }))).toMatchObject({ realm: "local", sub: "alice" });
  });

  test("[A1] [A15] the same subject is another user in every realm", async () => {
    const tokens = [
      await ours(world),
      await issue(world.acme.rsa, acmeClaims()),
      await issue(world.globex.rsa, globexClaims()),
    ];
    const users = await Promise.all(tokens.map((token) => admitted({ token })));
    expect(new Set(users.map(({ user_id }) => user_id)).size).toBe(3);
  });
});

describe("a token that is not one", () => {
  test.each(SPELLING)("[A5] spelt with $what is $code", expectRefused);
  test.each(SYNTAX)("[A5] that has $what is $code", expectRefused);
});

describe("the wrong key", () => {
  test.each(ALGORITHMS)("[A6] $what is $code", expectRefused);
  test.each(KEYS)("[A6] [A16] $what is $code, and no address in it is asked", expectRefused);
  test.each(SIGNATURES)("[A6] $what is $code", expectRefused);
});

describe("the wrong claims", () => {
  test.each(TIMES)("[A7] $what is $code", expectRefused);
  test.each(EXPECTED)("[A8] $what is $code", expectRefused);
  test.each(CLAIMS)("[A9] $what is $code naming $field", expectRefused);
  test.each(TYPES)("[A10] $what is $code", expectRefused);
});

describe("the wrong place", () => {
  test.each(PROVIDERS)("[A15] $what is $code", expectRefused);
  test.each(TICKETS)("[A19] $what is $code", expectRefused);
});

/** A good token of just that length: four characters hold three bytes, so two paddings are needed to hit it. */
async function longToken(length: number): Promise<string> {
  const padded = (n: number, k: number) =>
    ours(world, { claims: { pad: "x".repeat(n) }, header: { pad: "x".repeat(k) } });
  const missing = length - (await padded(0, 0)).length;
  for (const k of [0, 1, 2]) {
    for (const less of [0, 1, 2, 3, 4]) {
      const token = await padded(Math.floor((missing * 3) / 4) - less, k);
      if (token.length === length) return token;
    }
  }
  throw new Error("no padding makes this length");
}

test("[A3] whoever asks, a good token of more than 8 KiB is token_malformed", async () => {
  const [fits, long] = await Promise.all([0, 1].map((more) => longToken(MAX_TOKEN_BYTES + more)));
  expect(await verify(fits!, {})).toMatchObject({ ok: true });
  const refusal = { code: "token_malformed", limit: MAX_TOKEN_BYTES };
  expect(await verify(long!, {})).toMatchObject({ ok: false, refusal });
});

test("[A3] a good token of 8 KiB is taken, one of a byte more is token_malformed", async () => {
  const [fits, long] = await Promise.all([0, 1].map((more) => longToken(MAX_TOKEN_BYTES + more)));
  expect(await admitted({ token: fits! })).toMatchObject({ sub: "alice" });
  const USER_SESSION = { getByName: () => expect.unreachable("the object was asked for") };
  const answer = await worker(providers().fetch)({ token: long! }, { USER_SESSION });
  expect([answer.status, await answer.json()]).toMatchObject([
    401,
    { error: { code: "token_malformed", limit: MAX_TOKEN_BYTES } },
  ]);
});

describe("a provider that does not answer", () => {
  test("[A17] makes its tokens auth_unavailable with retry_after_ms, and wakes nothing", async () => {
    const token = await issue(world.acme.rsa, acmeClaims());
    const send = worker(providers(true).fetch);
    const before = await countSessions();
    const answer = await send({ token });
    expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "10"]);
    expect(await answer.json()).toMatchObject({
      error: { code: "auth_unavailable", retry_after_ms: 10_000 },
    });
    expect(await listen(await send({ token, offers: ["throughline.v1"] }))).toMatchObject({
      frames: [{ payload: { code: "auth_unavailable", retry_after_ms: 10_000, fatal: true } }],
      code: 4205,
    });
    expect(await countSessions()).toBe(before);
  });

  test("[A17] is not asked about tokens that could never be good", async () => {
    const { asked, fetch } = providers(true);
    const rows = [...ALGORITHMS, ...SPELLING].filter(({ kind }) => kind === undefined);
    for (const row of rows) {
      const result = await verifyToken(await row.make(world), realms(VARIABLES, { now, fetch }), now);
      expect(result).toMatchObject({ refusal: { code: row.code } });
    }
    expect(asked).toEqual([]);
  });

  test("[A17] costs our own tokens nothing", async () => {
    const { asked, fetch } = providers(true);
    const result = await verifyToken(await ours(world), realms(VARIABLES, { now, fetch }), now);
    expect([result.ok, asked]).toEqual([true, []]);
  });
});

test("[A5] the table has sixty rows and more, no two of them the same", () => {
  const names = ALL.map(({ what }) => what);
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect(new Set(names).size).toBe(names.length);
});
