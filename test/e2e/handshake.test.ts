/** Every way into a socket and every way not to get in, over TCP: sockets inside of a process shake no hands. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { userId } from "../../src/auth/user-id.ts";
import { nowS, rs256Token, SECRET, signToken, tamper, unsignedToken } from "../support/tokens.ts";
import { until } from "./support/figures.ts";
import { ACCEPT, type HttpKnock, type Knock, knock, listen, UPGRADE } from "./support/handshake.ts";
import { inspect } from "./support/inspection.ts";

const OURS = "throughline.v1";

const LISTED = "https://app.example";

/** What an answer that is read as data must not be without. */
const SAFE = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "content-security-policy": expect.stringContaining("default-src 'none'"),
};

let server: DevServer;

beforeAll(async () => {
  const vars = { JWT_SECRET: SECRET, ALLOWED_ORIGINS: LISTED };
  server = await startDevServer({ config: "test/e2e/support/wrangler.toml", vars });
});

afterAll(async () => {
  await server?.stop();
});

interface Bad {
  readonly what: string;
  readonly code: string;
  readonly status: number;
  readonly close: number;
  readonly how: () => Promise<Knock>;
}

function badToken(what: string, code: string, make: () => Promise<string> | string): Bad {
  const close = code === "token_expired" ? 4100 : 4101;
  return { what, code, status: 401, close, how: async () => ({ token: await make() }) };
}

function badOrigin(origin: string): Bad {
  const how = async () => ({ origin, token: await signToken() });
  return { what: `the origin ${origin}`, code: "origin_forbidden", status: 403, close: 4003, how };
}

const BAD: readonly Bad[] = [
  { what: "no token", code: "token_missing", status: 401, close: 4101, how: async () => ({}) },
  badToken("garbage for a token", "token_malformed", () => "garbage"),
  badToken("an empty token", "token_malformed", () => ""),
  badToken("a token of 8,193 bytes", "token_malformed", () => "x".repeat(8_193)),
  badToken("an expired token", "token_expired", () => signToken({ exp: nowS() - 31 })),
  badToken("a token of another secret", "token_signature", () => signToken({}, { secret: `${SECRET}!` })),
  badToken("a token whose claims were changed", "token_signature", async () =>
    tamper(await signToken(), { sub: "bob" }),
  ),
  badToken("an unsigned token", "token_algorithm", () => unsignedToken()),
  badToken("a token signed with RS256", "token_algorithm", () => rs256Token()),
  badToken("a token for later", "token_not_yet_valid", () => signToken({ nbf: nowS() + 90 })),
  badToken("a token without sub", "token_claims", () => signToken({ sub: undefined })),
  {
    ...badToken("a token that may not chat", "forbidden", () => signToken({ permissions: ["agents"] })),
    status: 403,
    close: 4003,
  },
  badOrigin("https://evil.example"),
  badOrigin("null"),
  badOrigin("http://127.0.0.1:1"),
  {
    what: "an overlong query",
    code: "invalid_payload",
    status: 400,
    close: 4000,
    how: async () => ({ path: `/v1/ws?client_id=${"x".repeat(257)}`, token: await signToken() }),
  },
];

describe("an upgrade over TCP", () => {
  test.each(BAD)("[E3] [E13] with $what is answered $status $code", async ({ code, status, how }) => {
    const answer = await knock(server.url, await how());
    expect(answer).toMatchObject({ status, body: { error: { code } }, headers: SAFE });
    const challenge = status === 401 ? expect.stringMatching(/^Bearer realm="throughline"/) : undefined;
    expect(answer.headers["www-authenticate"]).toEqual(challenge);
    expect(answer.headers["sec-websocket-accept"]).toBeUndefined();
  });

  test.each(BAD)(
    "[E4] with $what is told $code and closed with $close where it offers the version",
    async (bad) => {
      const told = await listen(server.url, { ...(await bad.how()), offers: [OURS] });
      expect(told).toMatchObject({
        protocol: OURS,
        frames: [{ type: "error", payload: { code: bad.code, fatal: true } }],
        code: bad.close,
      });
      expect(told.frames).toHaveLength(1);
    },
  );

  test.each([
    ["POST", { method: "POST", upgrade: {} }, 405, "method_not_allowed"],
    ["OPTIONS", { method: "OPTIONS", upgrade: {} }, 405, "method_not_allowed"],
    ["no Upgrade", { upgrade: {} }, 426, "upgrade_required"],
    ["another Upgrade", { upgrade: { ...UPGRADE, Upgrade: "h2c" } }, 426, "upgrade_required"],
  ] satisfies [string, HttpKnock, number, string][])(
    "[E3] with %s is answered with a status, whatever it offers",
    async (_, how, status, code) => {
      for (const offers of [[], [OURS]]) {
        const answer = await knock(server.url, { ...how, offers, token: await signToken() });
        expect(answer).toMatchObject({ status, body: { error: { code } }, headers: SAFE });
        // The platform keeps Upgrade to itself, so a 426 cannot name it as RFC 9110 §15.5.22 wants.
        expect(answer.headers.allow).toBe(status === 405 ? "GET" : undefined);
      }
    },
  );

  test.each([
    ["POST", { method: "POST" }],
    ["another version of WebSockets", { upgrade: { ...UPGRADE, "Sec-WebSocket-Version": "8" } }],
    ["no key", { upgrade: { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" } }],
  ] satisfies [string, HttpKnock][])(
    "[E3] [X7] with %s is no handshake, and leaves nothing behind",
    async (what, how) => {
      const answer = await knock(server.url, {
        ...how,
        offers: [OURS],
        token: await signToken({ sub: what }),
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      // The platform may find out only once it is in its user's object.
      await listen(server.url, { offers: [OURS], token: await signToken({ sub: "calm" }) });
      const [left, calm] = [await leftOf(what), await leftOf("calm")];
      expect(left.sockets + left.attachments).toBe(0);
      expect([calm, { ...calm, alarms: 0, rows: { ...calm.rows, meta: 0 } }]).toContainEqual(left);
    },
  );
});

describe("a good upgrade over TCP", () => {
  test("[E6] [E7] is switched with nothing but the headers of a switch", async () => {
    const answer = await knock(server.url, { offers: [OURS], token: await signToken() });
    expect(answer.status).toBe(101);
    expect(answer.headers).toEqual({
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-accept": ACCEPT,
      "sec-websocket-protocol": OURS,
    });
  });

  test.each([
    ["/v1/ws", (token: string) => [OURS, `jwt.${token}`]],
    ["/v1/ws", (token: string) => [`bearer.${token}`, OURS]],
    ["/v1/ws", (token: string) => ["graphql-ws", `jwt.${token}`, "throughline.v2", OURS]],
    ["/ws", (token: string) => [OURS, `jwt.${token}`]],
  ])(
    "[E6] to %s is answered with throughline.v1 alone, and the token comes back nowhere (%#)",
    async (path, offer) => {
      const token = await signToken({ sub: "echo" });
      const { status, headers } = await knock(server.url, { path, offers: offer(token) });
      expect(status).toBe(101);
      expect(headers["sec-websocket-protocol"]).toBe(OURS);
      expect(JSON.stringify(headers)).not.toContain(token);
      const told = await listen(server.url, { path, offers: offer(token) });
      expect(told).toMatchObject({ protocol: OURS, code: 1000 });
      expect(told.frames[0]).toMatchObject({ payload: { user_id: await userId("local", "echo") } });
    },
  );

  test.each([
    ["nothing", []],
    ["what we do not speak", ["graphql-ws"]],
  ])("[A2] [E6] with the token in the header may offer %s, and nothing is chosen", async (_, offers) => {
    const { status, headers } = await knock(server.url, { offers, token: await signToken() });
    expect(status).toBe(101);
    expect(headers["sec-websocket-protocol"]).toBeUndefined();
  });

  test("[E18] may come from a listed origin, from the server's own, or from none", async () => {
    const token = await signToken();
    for (const origin of [LISTED, server.url, undefined]) {
      const told = await listen(server.url, {
        offers: [OURS],
        token,
        ...(origin !== undefined && { origin }),
      });
      expect([origin, told.frames[0]?.type]).toEqual([origin, "connection_established"]);
    }
  });
});

describe("the version over TCP", () => {
  test.each([
    ["another version of ours", "/v1/ws", ["throughline.v2"]],
    ["a token but no version", "/v1/ws", ["jwt.a.b.c"]],
    ["nothing on /ws", "/ws", []],
    ["another version of ours on /ws", "/ws", ["throughline.v0"]],
    ["another protocol on /ws", "/ws", ["graphql-ws"]],
  ])(
    "[E6] whoever offers %s is answered 400 unsupported_version, and nothing is chosen",
    async (_, path, offers) => {
      const answer = await knock(server.url, { path, offers, token: await signToken() });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: "unsupported_version" } } });
      expect(answer.headers["sec-websocket-protocol"]).toBeUndefined();
    },
  );
});

describe("the credential over TCP", () => {
  test.each(["token", "access_token", "jwt", "bearer"])("[E5] in the URL as %s is none", async (name) => {
    const path = `/v1/ws?${name}=${await signToken()}`;
    expect((await knock(server.url, { path })).body).toMatchObject({ error: { code: "token_missing" } });
    expect(await listen(server.url, { path, offers: [OURS] })).toMatchObject({ code: 4101 });
  });

  test("[E5] in the subprotocol decides, be the one in the header good", async () => {
    const expired = await signToken({ exp: nowS() - 60 });
    const told = await listen(server.url, { offers: [OURS, `jwt.${expired}`], token: await signToken() });
    expect(told).toMatchObject({ frames: [{ payload: { code: "token_expired" } }], code: 4100 });
  });

  test("[A3] of 8,192 bytes is looked at", async () => {
    const filled = (length: number) => signToken({ sub: "big", filler: "x".repeat(length) });
    const spare = 8_192 - (await filled(0)).length;
    const token = await filled(Math.floor((spare * 3) / 4));
    expect(token.length).toBeGreaterThan(8_188);
    expect((await listen(server.url, { offers: [OURS, `jwt.${token}`] })).code).toBe(1000);
  });
});

describe("a ticket over TCP", () => {
  test("[A19] in the URL lets in once, as whoever it was given to", async () => {
    const path = await ticketPath(await signToken({ sub: "tina" }));
    const told = await listen(server.url, { path });
    expect(told.frames[0]).toMatchObject({ payload: { user_id: await userId("local", "tina") } });
    expect(await knock(server.url, { path })).toMatchObject({
      status: 401,
      body: { error: { code: "ticket_used" } },
    });
    expect(await listen(server.url, { path, offers: [OURS] })).toMatchObject({
      frames: [{ payload: { code: "ticket_used", fatal: true } }],
      code: 4101,
    });
  });

  test("[A19] lets in exactly one of those who come with it at once", async () => {
    const path = await ticketPath(await signToken({ sub: "racers" }));
    const offers = [OURS];
    const all = await Promise.all(Array.from({ length: 6 }, () => listen(server.url, { path, offers })));
    const codes = all.map(({ frames, code }) => [frames[0]?.payload.code ?? frames[0]?.type, code]);
    expect(codes.sort()).toEqual([
      ["connection_established", 1000],
      ...Array.from({ length: 5 }, () => ["ticket_used", 4101]),
    ]);
  });

  test("[A19] is no token, and a token is no ticket", async () => {
    const token = await signToken();
    const path = await ticketPath(token);
    const ticket = new URL(path, server.url).searchParams.get("ticket") ?? "";
    const asToken = await knock(server.url, { token: ticket });
    expect(asToken).toMatchObject({ status: 401, body: { error: { code: "token_claims" } } });
    const asTicket = await knock(server.url, { path: `/v1/ws?ticket=${token}` });
    expect(asTicket).toMatchObject({ status: 401, body: { error: { code: "token_claims" } } });
    // Neither has used it up.
    expect((await knock(server.url, { path })).status).toBe(101);
  });

  test("[A2] [E5] does not rescue a bad token beside it, which is not taken for it", async () => {
    const path = await ticketPath(await signToken());
    const answer = await knock(server.url, { path, token: "garbage" });
    expect(answer).toMatchObject({ status: 401, body: { error: { code: "token_malformed" } } });
    expect((await knock(server.url, { path })).status).toBe(101);
  });
});

/** Once every close has arrived. */
async function leftOf(sub: string) {
  const user_id = await userId("local", sub);
  await until(async () => (await inspect(server.url, user_id)).sockets === 0, 5_000);
  return { ...(await inspect(server.url, user_id)), instance: "" };
}

async function ticketPath(token: string): Promise<string> {
  const answer = await fetch(`${server.url}/v1/auth/ticket`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
  });
  const { ticket } = (await answer.json()) as { ticket: string };
  return `/v1/ws?${new URLSearchParams({ ticket })}`;
}
