/** A credential that may stand in a URL, because it is worth nothing afterwards. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { mintTicket, verifyTicket } from "../../src/auth/ticket.ts";
import { createApp } from "../../src/edge/app.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, principalWith } from "../support/desk.ts";
import { countSessions, firstFrame, HOST, listen, send, upgradeOf } from "../support/edge.ts";
import { edgePorts, settings } from "../support/ports.ts";
import { scripted } from "../support/scripted-agent.ts";
import { nowS, SECRET, signRaw, signToken, type TestClaims } from "../support/tokens.ts";

async function post(claims: TestClaims): Promise<Response> {
  const headers = { Authorization: `Bearer ${await signToken(claims)}` };
  return send(new Request(new URL("/v1/auth/ticket", HOST), { method: "POST", headers }));
}

async function ticketOf(claims: TestClaims): Promise<string> {
  const body: { ticket: string } = await (await post(claims)).json();
  return body.ticket;
}

function upgradeWith(ticket: string): Promise<Response> {
  return send(upgradeOf({ path: `/v1/ws?ticket=${ticket}`, offers: ["throughline.v1"] }));
}

describe("a ticket", () => {
  test("[A19] connects whoever it was given to, until the token it was had for ends", async () => {
    const sub = newUser();
    const exp = nowS() + 1_000;
    const claims = { sub, exp, permissions: ["chat"], plan: "pro", auth_time: nowS() - 5 };
    const answer = await post(claims);
    expect(answer.status).toBe(200);
    const { ticket, expires_in_ms }: any = await answer.json();
    expect(expires_in_ms).toBeGreaterThan(29_000);
    expect(expires_in_ms).toBeLessThanOrEqual(30_000);
    expect(decodeProtectedHeader(ticket).typ).toBe("throughline-ticket+jwt");
    const { payload }: any = await firstFrame(await upgradeWith(ticket));
    expect(payload).toMatchObject({ permissions: ["chat"], plan: "pro" });
    expect(payload.token_expires_in_ms).toBeGreaterThan(990_000);
  });

  test("[A19] touches no object when it is given", async () => {
    const before = await countSessions();
    await post({ sub: newUser() });
    expect(await countSessions()).toBe(before);
  });

  test("[A19] is good once, even for two at the same time, and after an eviction", async () => {
    const sub = newUser();
    const ticket = await ticketOf({ sub });
    const answers = await Promise.all([upgradeWith(ticket), upgradeWith(ticket)]);
    const firsts: any[] = await Promise.all(answers.map((answer) => firstFrame(answer)));
    const types = firsts.map(({ type, payload }) => payload.code ?? type).sort();
    expect(types).toEqual(["connection_established", "ticket_used"]);
    await evictDurableObject(await stubOf(sub));
    expect(await listen(await upgradeWith(ticket))).toMatchObject({
      frames: [{ type: "error", payload: { code: "ticket_used", fatal: true, retryable: false } }],
      code: 4101,
    });
  });

  test("[A19] leaves one row, which the next one takes away a minute after it has expired", async () => {
    await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
      const desk = new Desk(storage, scripted);
      const rows = () => storage.sql.exec("SELECT key FROM meta WHERE key LIKE 'ticket:%'").toArray().length;
      const use = (jti: string) => desk.connect({ ticket: { jti, exp: desk.now / 1_000 + 30 } });
      use("first");
      use("second");
      desk.advance(90_000);
      use("third");
      expect(rows()).toBe(3);
      desk.advance(1_000);
      use("fourth");
      expect(rows()).toBe(2);
    });
  });

  test.each([
    ["after 30 s", 30_000, "token_expired"],
    ["a moment before", 29_999, "ok"],
  ])("[A19] %s is good or not", async (_, later_ms, expected) => {
    const at_ms = 1_800_000_000_000;
    const who = { ...principalWith(["chat"]), exp: at_ms / 1_000 + 3_600 };
    const ticket = await mintTicket(who, "0123456789abcdef", settings(), () => at_ms);
    const verified = await verifyTicket(ticket, settings(), () => at_ms + later_ms);
    expect(verified.ok ? "ok" : verified.refusal.code).toBe(expected);
  });

  test("[A19] ends with its token, if that is sooner", async () => {
    const ticket = await ticketOf({ sub: newUser(), exp: nowS() + 10 });
    expect((decodeJwt(ticket).exp ?? 0) - nowS()).toBeLessThanOrEqual(10);
  });

  test.each([
    ["of an hour", 3_600, 0, 30_000],
    ["of an hour, in the middle of a second", 3_600, 700, 29_300],
    ["of ten seconds", 10, 250, 9_750],
    ["of a second", 1, 999, 1],
    ["that ends now", 0, 0, "token_expired"],
    ["that ended 20 s ago, which the tolerance for clocks forgives", -20, 0, "token_expired"],
  ])("[A19] for a token %s says how long it is good", async (_, left_s, ms, expected) => {
    const at_s = 1_800_000_000;
    const worker = createApp(edgePorts({ now: () => at_s * 1_000 + ms }));
    const token = await signToken({ sub: newUser(), iat: at_s - 60, exp: at_s + left_s });
    const headers = { Authorization: `Bearer ${token}` };
    const request = new Request(new URL("/v1/auth/ticket", HOST), { method: "POST", headers });
    const answer = await worker.fetch(request, env);
    const { ticket, expires_in_ms, error }: any = await answer.json();
    expect([answer.status, expires_in_ms ?? error.code]).toEqual([
      ticket === undefined ? 401 : 200,
      expected,
    ]);
    if (ticket !== undefined) expect(decodeJwt(ticket).exp).toBe(at_s + Math.min(left_s, 30));
  });

  test("[A19] signed with the secret before the last rotation is good", async () => {
    const who = { ...principalWith(["chat"]), exp: nowS() + 60 };
    const ticket = await mintTicket(who, "0123456789abcdef", settings(), () => Date.now());
    const rotated = settings({ JWT_SECRET: `${SECRET}-new`, JWT_SECRET_PREVIOUS: SECRET });
    expect((await verifyTicket(ticket, rotated, () => Date.now())).ok).toBe(true);
  });

  test.each([
    ["an access token", () => signToken({ sub: "alice" }), "token_claims"],
    ["one typed as a ticket, for another audience", () => typed({ aud: "elsewhere" }), "token_audience"],
    ["one without a jti", () => typed({ jti: undefined }), "token_claims"],
    ["one with a short jti", () => typed({ jti: "short" }), "token_claims"],
    ["one without a principal", () => typed({ who: undefined }), "token_claims"],
    ["one with unknown powers", () => typed({ who: { permissions: ["root"] } }), "token_claims"],
    ["one of another secret", () => typed({}, `${SECRET}!`), "token_signature"],
    ["an empty one", async () => "", "token_malformed"],
    ["a padded one", async () => `${await typed({})}=`, "token_malformed"],
  ])("[A19] that is %s is refused and touches no object", async (_, made, code) => {
    const before = await countSessions();
    const told = await listen(await upgradeWith(encodeURIComponent(await made())));
    expect(told).toMatchObject({ frames: [{ payload: { code, fatal: true } }], code: 4101 });
    expect(await countSessions()).toBe(before);
  });

  test("[A19] is no token", async () => {
    const ticket = await ticketOf({ sub: newUser() });
    const asHeader = await send(upgradeOf({ token: ticket }));
    expect(asHeader.status).toBe(401);
    expect(await asHeader.json()).toMatchObject({ error: { code: "token_claims" } });
    const forHttp = await send(
      new Request(new URL("/v1/threads", HOST), { headers: { Authorization: `Bearer ${ticket}` } }),
    );
    expect(forHttp.status).toBe(401);
  });

  test.each([
    ["without chat", { permissions: ["service"] }, 403, "forbidden"],
    ["that has expired", { exp: nowS() - 60 }, 401, "token_expired"],
  ])("[A19] is not given for a token %s", async (_, claims, status, code) => {
    const answer = await post({ sub: newUser(), ...claims });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });

  test("[A19] of a user who has signed out since is refused", async () => {
    const sub = newUser();
    const ticket = await ticketOf({ sub });
    const headers = { Authorization: `Bearer ${await signToken({ sub })}` };
    await send(new Request(new URL("/v1/auth/sign-out", HOST), { method: "POST", headers }));
    expect(await listen(await upgradeWith(ticket))).toMatchObject({ code: 4007 });
  });
});

/** As ours but for what is said. */
function typed(claims: TestClaims, secret = SECRET): Promise<string> {
  const { user_id: _id, sub, ...who } = principalWith(["chat"]);
  const exp = nowS() + 20;
  const good = { sub, who: { ...who, exp }, aud: "throughline-upgrade", jti: "0123456789abcdef", exp };
  return signRaw({ ...good, ...claims }, { secret, header: { typ: "throughline-ticket+jwt" } });
}
