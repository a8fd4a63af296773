/** Tokens of a real OpenID provider, which changes its keys and goes away, at a real server. */
import { setTimeout as pause } from "node:timers/promises";
import { type CryptoKey, decodeJwt, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { signIn } from "../../scripts/sign-in.ts";
import { userId } from "../../src/auth/user-id.ts";
import { Browser } from "./support/code-flow.ts";
import { until } from "./support/figures.ts";
import {
  API,
  CLIENT,
  HASTY_CLIENT,
  HASTY_TTL_S,
  OTHER_CLIENT,
  type Provider,
  startProvider,
} from "./support/provider.ts";
import { type RawClient, rawConnect, turnedAway } from "./support/raw-client.ts";
import { Tab } from "./support/tab.ts";

/** Between two requests to a provider. */
const COOLDOWN_MS = 10_000;

/** What a client that is told to wait adds of its own, and a slow machine. */
const IN_WITHIN_MS = COOLDOWN_MS + 5_000;

/** What a socket outlives its token by. */
const GRACE_MS = 30_000;

const REALM = "main";

/** The provider it trusts, of which it knows the issuer and nothing else. */
function realmOf({ issuer }: Provider, more: Readonly<Record<string, unknown>> = {}) {
  return { name: REALM, issuer, audience: [CLIENT, HASTY_CLIENT], ...more };
}

function serverFor(...realms: readonly unknown[]): Promise<DevServer> {
  const vars = { OIDC_REALMS: JSON.stringify(realms) };
  return startDevServer({ config: "test/e2e/support/wrangler.toml", vars });
}

beforeAll(() => {
  // Each time it starts, the provider says that it is not fit for production.
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

describe("a person who is signed in elsewhere", () => {
  let provider: Provider;
  let partner: Provider;
  let server: DevServer;

  beforeAll(async () => {
    [provider, partner] = await Promise.all([startProvider(), startProvider({ algorithm: "ES256" })]);
    const permissions = { claim: "scope", grants: { talk: ["chat"] } };
    const second = realmOf(partner, { name: "partner", audience: API, algorithms: ["ES256"], permissions });
    server = await serverFor(realmOf(provider), second);
  });

  afterAll(async () => {
    await Promise.all([server?.stop(), provider?.stop(), partner?.stop()]);
  });

  test("[A1] [A15] [A16] connects with an ID token, where only the issuer is configured, and gets an answer", async () => {
    const { id_token } = await new Browser(provider, "alice").signIn();
    const alice = await rawConnect(server.url, { token: id_token });
    expect(alice.user_id).toBe(await userId(REALM, "alice"));
    expect(alice.frames[0]?.payload).toMatchObject({ permissions: ["chat", "agents"], plan: "free" });
    alice.send({ type: "user_message", id: "q", payload: { content: "how do I spend less on GPUs?" } });
    const completed = await alice.next(({ type }) => type === "agent_completed");
    expect(completed.payload).toMatchObject({ status: "succeeded" });
    expect(String(completed.payload.content)).not.toBe("");
    alice.close();
  });

  test("[A1] [A15] [A18] of another provider, by an ES256 access token, is somebody else with what its scope grants", async () => {
    const [{ id_token }, { access_token }] = await Promise.all([
      new Browser(provider, "twin").signIn(),
      new Browser(partner, "twin").signIn(),
    ]);
    const one = await rawConnect(server.url, { token: id_token });
    const other = await rawConnect(server.url, { token: access_token });
    expect(other.user_id).toBe(await userId("partner", "twin"));
    expect(other.frames[0]?.payload).toMatchObject({ permissions: ["chat"] });
    await one.say("only mine");
    expect(await eventsOf(server, access_token)).toEqual([]);
    expect(await eventsOf(server, id_token)).toEqual(["user_message"]);
    one.close();
    other.close();
  });

  test("[A20] exchanges the ID token for one of ours, and is the same person with it", async () => {
    const { id_token } = await new Browser(provider, "eve").signIn();
    const answer = await exchange(server, id_token);
    expect(answer).toMatchObject({ token_type: "Bearer", scope: "chat agents" });
    expect(answer.expires_in).toBeLessThanOrEqual(600);
    expect(answer.expires_in).toBeGreaterThan(500);
    const [theirs, ours] = [decodeJwt(id_token), decodeJwt(answer.access_token)];
    expect(ours).toMatchObject({ sub: "eve", realm: REALM, auth_time: theirs.auth_time });
    const [before, after] = [
      await rawConnect(server.url, { token: id_token }),
      await rawConnect(server.url, { token: answer.access_token }),
    ];
    expect(after.user_id).toBe(before.user_id);
    const seq = await before.say("to myself");
    await after.next((frame) => frame.seq === seq);
    before.close();
    after.close();
  });

  test("[A20] cannot exchange the exchanged token, nor one of another application", async () => {
    const browser = new Browser(provider, "mallory");
    const { access_token } = await exchange(server, (await browser.signIn()).id_token);
    const { id_token } = await browser.signIn({ client_id: OTHER_CLIENT });
    expect(await exchangeRefused(server, access_token)).toMatchObject({ code: "token_issuer" });
    expect(await exchangeRefused(server, id_token)).toMatchObject({
      error: "invalid_request",
      code: "token_audience",
    });
  });

  test("[S13] [A21] [A22] is told when the ID token ends, and stays with another; who has none is closed with 4100", async () => {
    const browser = new Browser(provider, "hasty");
    const first = await browser.signIn({ client_id: HASTY_CLIENT });
    const [hasty, careless] = [
      await rawConnect(server.url, { token: first.id_token }),
      await rawConnect(server.url, { token: first.id_token }),
    ];
    expect(hasty.frames[0]?.payload.token_expires_in_ms).toBeLessThanOrEqual(HASTY_TTL_S * 1_000);
    await hasty.next(({ type }) => type === "auth_expiring");
    const stolen = await browser.signIn({ client_id: OTHER_CLIENT });
    expect(await refresh(hasty, stolen.id_token)).toMatchObject({
      type: "error",
      payload: { code: "token_audience", fatal: false },
    });
    const renewed = await refresh(hasty, (await browser.signIn()).id_token);
    expect(renewed.type).toBe("command_ack");
    expect(renewed.payload.token_expires_in_ms).toBeGreaterThan(500_000);
    await careless.next(({ payload }) => payload.code === "token_expired");
    const end_ms = (decodeJwt(first.id_token).exp ?? 0) * 1_000 + GRACE_MS;
    expect(Date.now() - end_ms).toBeGreaterThan(-1_000);
    await until(() => Date.now() > end_ms, 2_000);
    await hasty.say("still here");
    expect(await careless.closed).toMatchObject({ code: 4100 });
    hasty.close();
  }, 60_000);

  test("[A22] who refreshes with somebody else's ID token is closed with 4004", async () => {
    const [one, other] = await Promise.all([
      new Browser(provider, "one").signIn(),
      new Browser(provider, "other").signIn(),
    ]);
    const socket = await rawConnect(server.url, { token: one.id_token });
    expect(await refresh(socket, other.id_token)).toMatchObject({ payload: { code: "user_mismatch" } });
    expect(await socket.closed).toMatchObject({ code: 4004 });
  });

  test("[A8] [A15] is refused with the token of another application: token_audience, 4101", async () => {
    const tokens = await new Browser(provider, "alice").signIn({ client_id: OTHER_CLIENT });
    const told = { code: "token_audience", close: 4101 };
    expect(await turnedAway(server.url, { token: tokens.id_token })).toEqual(told);
    expect(await turnedAway(server.url, { token: tokens.access_token })).toEqual(told);
  });

  test("[A6] [A15] [A16] is refused with a token made by somebody else, whichever key it names", async () => {
    const published = await keyIds(provider);
    const forged = await forge(provider, { kid: published[0] });
    expect(await turnedAway(server.url, { token: forged })).toEqual({ code: "token_signature", close: 4101 });
    const { privateKey, publicKey } = await generateKeyPair("RS256");
    const jwk = await exportJWK(publicKey);
    const brought = await forge(provider, { kid: published[0], jwk }, privateKey);
    expect(await turnedAway(server.url, { token: brought })).toEqual({
      code: "token_signature",
      close: 4101,
    });
  });

  test("[A23] who signs out is out everywhere, with every token of that login, until they log in again", async () => {
    const browser = new Browser(provider, "leaver");
    const [{ id_token }, bystander] = [await browser.signIn(), await new Browser(partner, "leaver").signIn()];
    const { access_token } = await exchange(server, id_token);
    const sockets = await Promise.all(
      [id_token, access_token].map((token) => rawConnect(server.url, { token })),
    );
    const namesake = await rawConnect(server.url, { token: bystander.access_token });
    const signed_out_at = await signOut(server, id_token);
    await until(() => sockets.every((socket) => socket.isClosing), 1_000);
    // The provider still knows the browser, and gives it a token that is new from a login that is not.
    await until(() => Date.now() >= (signed_out_at + 1) * 1_000, 2_000);
    const silent = await browser.signIn();
    expect(decodeJwt(silent.id_token).iat).toBeGreaterThan(signed_out_at);
    for (const token of [
      id_token,
      access_token,
      silent.id_token,
      (await exchange(server, silent.id_token)).access_token,
    ]) {
      expect(await turnedAway(server.url, { token })).toEqual({ code: "signed_out", close: 4007 });
      expect(await codeOver(server, token)).toEqual([401, "signed_out"]);
    }
    const again = await browser.signIn({ anew: true });
    const back = await rawConnect(server.url, { token: again.id_token });
    expect(back.user_id).toBe(sockets[0]?.user_id);
    await namesake.say("nobody asked me to leave");
    // The platform says so at once, but takes 10 s to let go of the connections.
    for (const socket of sockets)
      expect(await socket.closed).toMatchObject({ code: 4007, reason: "signed_out" });
    back.close();
    namesake.close();
  });
});

describe("a provider that changes its keys", () => {
  let provider: Provider;
  let server: DevServer;

  beforeAll(async () => {
    provider = await startProvider();
    server = await serverFor(realmOf(provider));
  });

  afterAll(async () => {
    await Promise.all([server?.stop(), provider?.stop()]);
  });

  test("[A16] disturbs nobody who is connected, lets in by new keys within its cooldown, and no longer by retired ones", async () => {
    const begun = performance.now();
    const [alice, bob] = [new Browser(provider, "alice"), new Browser(provider, "bob")];
    const [oldest, bobs] = [(await alice.signIn()).id_token, (await bob.signIn()).id_token];
    const connected = [
      await rawConnect(server.url, { token: oldest }),
      await rawConnect(server.url, { token: bobs }),
    ];

    await provider.rotate("kept");
    const newer = (await new Browser(provider, "alice").signIn()).id_token;
    await expectIn(server, newer);
    await expectIn(server, oldest);
    await expectUndisturbed(connected);

    await provider.rotate("retired");
    await expectIn(server, (await new Browser(provider, "bob").signIn()).id_token);
    expect(await finallyTold(server, oldest)).toEqual({ code: "token_key", close: 4101 });
    await expectUndisturbed(connected);
    expect(provider.asked).toBeLessThanOrEqual(1 + (performance.now() - begun) / COOLDOWN_MS);
    for (const client of connected) client.close();
  }, 60_000);

  test("[A16] is not asked more often because strangers name keys it never had", async () => {
    const known = (await new Browser(provider, "carol").signIn()).id_token;
    await expectIn(server, known);
    const [asked, begun] = [provider.asked, performance.now()];
    const strangers = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const token = await forge(provider, { kid: crypto.randomUUID() });
        return (await turnedAway(server.url, { token })).code;
      }),
    );
    expect(["token_key", "auth_unavailable"]).toEqual(expect.arrayContaining([...new Set(strangers)]));
    await expectIn(server, known);
    expect(provider.asked - asked).toBeLessThanOrEqual(1 + (performance.now() - begun) / COOLDOWN_MS);
  }, 30_000);

  test("[A16] says of a key it does not have, asked for the first time, that it has no such key", async () => {
    const fresh = await serverFor(realmOf(provider));
    try {
      const token = await forge(provider, { kid: crypto.randomUUID() });
      expect(await turnedAway(fresh.url, { token })).toEqual({ code: "token_key", close: 4101 });
    } finally {
      await fresh.stop();
    }
  });
});

describe("a provider that is away", () => {
  let provider: Provider;
  let server: DevServer;
  let fresh: DevServer | undefined;

  beforeAll(async () => {
    provider = await startProvider();
    server = await serverFor(realmOf(provider));
  });

  afterAll(async () => {
    await Promise.all([server?.stop(), fresh?.stop(), provider?.stop()]);
  });

  test("[A17] costs nobody anything whose key is known; others are told so, and get in soon after it is back", async () => {
    const alices = (await new Browser(provider, "alice").signIn()).id_token;
    const bobs = (await new Browser(provider, "bob").signIn()).id_token;
    const alice = await rawConnect(server.url, { token: alices });
    await provider.stop();
    fresh = await serverFor(realmOf(provider));

    await expectIn(server, bobs);
    const told = await turnedAway(fresh.url, { token: bobs });
    expect(told).toMatchObject({ code: "auth_unavailable", close: 4205 });
    expect(told.retry_after_ms).toBeLessThanOrEqual(COOLDOWN_MS);
    const answer = await threads(fresh, bobs);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get("Retry-After"))).toBeLessThanOrEqual(COOLDOWN_MS / 1_000);
    expect(await answer.json()).toMatchObject({ error: { code: "auth_unavailable" } });
    (await rawConnect(fresh.url, { token: await signIn(fresh.url, "needs no provider") })).close();

    const tab = new Tab({ url: fresh.url, token: bobs, name: "bob" });
    await until(() => tab.changes.some(({ how }) => how === "auth_unavailable"), 5_000);
    await provider.start();
    await until(
      () => tab.isOpen,
      IN_WITHIN_MS,
      () => JSON.stringify(tab.changes),
    );
    await tab.say(false);
    expect(tab.said.map(({ outcome }) => outcome)).toEqual(["acknowledged"]);
    tab.client.close();
    await expectUndisturbed([alice]);
    alice.close();
  }, 60_000);
});

async function exchangeAnswer(server: DevServer, token: string): Promise<Response> {
  const type = "urn:ietf:params:oauth:token-type";
  const fields = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: token,
    subject_token_type: `${type}:id_token`,
  };
  return fetch(`${server.url}/v1/auth/token`, { method: "POST", body: new URLSearchParams(fields) });
}

async function exchange(server: DevServer, token: string) {
  const answer = await exchangeAnswer(server, token);
  expect(answer.status).toBe(200);
  return (await answer.json()) as { access_token: string; expires_in: number };
}

async function exchangeRefused(server: DevServer, token: string): Promise<unknown> {
  const answer = await exchangeAnswer(server, token);
  expect(answer.status).toBe(400);
  return answer.json();
}

async function refresh(client: RawClient, token: string) {
  const id = crypto.randomUUID();
  client.send({ type: "auth_refresh", id, payload: { token } });
  return client.next(({ reply_to }) => reply_to === id);
}

/** The latest second, of which the server may take it to have been. */
async function signOut(server: DevServer, token: string): Promise<number> {
  const answer = await fetch(`${server.url}/v1/auth/sign-out`, { method: "POST", headers: bearer(token) });
  expect(await answer.json()).toEqual({ signed_out: true });
  return Math.floor(Date.now() / 1_000);
}

function threads(server: DevServer, token: string): Promise<Response> {
  return fetch(`${server.url}/v1/threads`, { headers: bearer(token) });
}

async function codeOver(server: DevServer, token: string): Promise<unknown> {
  const answer = await threads(server, token);
  const { error } = (await answer.json()) as { error?: { code: string } };
  return [answer.status, error?.code];
}

async function eventsOf(server: DevServer, token: string): Promise<string[]> {
  const answer = await fetch(`${server.url}/v1/events`, { headers: bearer(token) });
  const { events } = (await answer.json()) as { events: { type: string }[] };
  return events.map(({ type }) => type);
}

function bearer(token: string) {
  return { Authorization: `Bearer ${token}` };
}

async function keyIds({ issuer }: Provider): Promise<string[]> {
  const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

/** All that an ID token should say, signed by who has no business to. */
async function forge({ issuer }: Provider, header: object, key?: CryptoKey): Promise<string> {
  const { privateKey } = key === undefined ? await generateKeyPair("RS256") : { privateKey: key };
  return new SignJWT({})
    .setProtectedHeader({ ...header, alg: "RS256" })
    .setIssuer(issuer)
    .setAudience(CLIENT)
    .setSubject("alice")
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(privateKey);
}

/** As an application would: it waits if it is told to, and then is in. */
async function expectIn(server: DevServer, token: string): Promise<void> {
  const tab = new Tab({ url: server.url, token, name: "visitor" });
  await until(
    () => tab.isOpen,
    IN_WITHIN_MS,
    () => JSON.stringify(tab.changes),
  );
  tab.client.close();
}

/** Asks again whenever it is told to, until it is told something final. */
async function finallyTold(server: DevServer, token: string) {
  for (let tries = 0; tries < 3; tries += 1) {
    const told = await turnedAway(server.url, { token });
    if (told.code !== "auth_unavailable") return told;
    await pause(told.retry_after_ms);
  }
  throw new Error("the server never makes up its mind");
}

/** On the connection they had. */
async function expectUndisturbed(clients: readonly RawClient[]): Promise<void> {
  for (const client of clients) {
    expect(client.isOpen).toBe(true);
    expect(await client.say("undisturbed")).toBeGreaterThan(0);
  }
}
