/** Sign-out everywhere, against the real object. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";
import { ok } from "../../src/protocol/result.ts";
import { connect, newUser, stubOf, waitFor } from "../support/client.ts";
import { BEGIN, Desk, principalWith } from "../support/desk.ts";
import { HOST, send, upgradeOf } from "../support/edge.ts";
import { scripted } from "../support/scripted-agent.ts";
import { nowS, signToken, type TestClaims } from "../support/tokens.ts";

async function post(path: string, claims: TestClaims): Promise<Response> {
  const headers = { Authorization: `Bearer ${await signToken(claims)}` };
  return send(new Request(new URL(path, HOST), { method: "POST", headers }));
}

async function get(path: string, claims: TestClaims): Promise<Response> {
  const headers = { Authorization: `Bearer ${await signToken(claims)}` };
  return send(new Request(new URL(path, HOST), { headers }));
}

/** As old as tokens are whose user has just signed out, and as new as those of the next login. */
const OLD = () => ({ iat: nowS() - 10 });
const NEW = () => ({ iat: nowS() + 2 });

const SIGNED_OUT = { error: { code: "signed_out", message: expect.any(String) } };

describe("signing out", () => {
  test("[A23] closes every socket of the user with 4007, and nobody else's", async () => {
    const [sub, other] = [newUser(), newUser()];
    const tabs = [await connect(sub), await connect(sub)];
    const bystander = await connect(other);
    const response = await post("/v1/auth/sign-out", { sub });
    expect([response.status, await response.json()]).toEqual([200, { signed_out: true }]);
    for (const tab of tabs) {
      expect(await tab.untilClosed()).toEqual({ code: 4007, reason: "signed_out" });
      expect(tab.frames.at(-1)).toMatchObject({
        type: "error",
        payload: { code: "signed_out", fatal: true },
      });
    }
    bystander.say("m1", "still here", { respond: false });
    await bystander.next("message_ack");
  });

  test("[A23] has older tokens refused wherever they turn up, across an eviction, and takes newer ones", async () => {
    const sub = newUser();
    const tab = await connect(sub);
    tab.say("m1", "kept", { respond: false });
    await tab.next("message_ack");
    await post("/v1/auth/sign-out", { sub });
    await evictDurableObject(await stubOf(sub));
    for (const path of ["/v1/threads", "/v1/threads/main/messages", "/v1/events"]) {
      const refused = await get(path, { sub, ...OLD() });
      expect([refused.status, await refused.json()]).toEqual([401, SIGNED_OUT]);
      expect((await get(path, { sub, ...NEW() })).status).toBe(200);
    }
    const upgrade = await send(upgradeOf({ token: await signToken({ sub, ...OLD() }) }));
    expect([upgrade.status, await upgrade.json()]).toEqual([401, SIGNED_OUT]);
    expect((await send(upgradeOf({ token: await signToken({ sub, ...NEW() }) }))).status).toBe(101);
    const again = await post("/v1/auth/sign-out", { sub, ...OLD() });
    expect([again.status, await again.json()]).toEqual([401, SIGNED_OUT]);
  });

  test("[A23] goes by the login where a token names it, not by the token's own age", async () => {
    const sub = newUser();
    await post("/v1/auth/sign-out", { sub });
    const renewed = { sub, ...NEW(), auth_time: nowS() - 100 };
    expect((await get("/v1/threads", renewed)).status).toBe(401);
    expect((await get("/v1/threads", { ...renewed, auth_time: nowS() + 2 })).status).toBe(200);
  });

  test("[A23] takes no login for later than its token, whatever the token says", async () => {
    const sub = newUser();
    await post("/v1/auth/sign-out", { sub });
    for (const auth_time of [nowS() + 20, nowS() + 1e9]) {
      const refused = await get("/v1/threads", { sub, ...OLD(), auth_time });
      expect([refused.status, await refused.json()]).toEqual([401, SIGNED_OUT]);
    }
  });

  test("[A23] is an operator's too, for a user nobody has seen yet as well", async () => {
    const sub = newUser();
    const path = `/v1/users/${await userId("local", sub)}/sign-out`;
    expect((await post(path, { sub: "operator", permissions: ["admin"] })).status).toBe(200);
    expect((await get("/v1/threads", { sub, ...OLD() })).status).toBe(401);
    expect((await get("/v1/threads", { sub, ...NEW() })).status).toBe(200);
  });

  test.each([
    ["an ordinary user", ["chat", "agents"]],
    ["a service", ["service"]],
  ])("[A23] of somebody else is refused to %s", async (_, permissions) => {
    const sub = newUser();
    const tab = await connect(sub);
    const path = `/v1/users/${await userId("local", sub)}/sign-out`;
    const response = await post(path, { sub: "somebody", permissions });
    expect(response.status).toBe(403);
    tab.say("m1", "still here", { respond: false });
    await tab.next("message_ack");
  });

  test("[A23] of something that is no user is refused by field", async () => {
    const response = await post("/v1/users/alice/sign-out", { sub: "operator", permissions: ["admin"] });
    expect(await response.json()).toMatchObject({ error: { code: "invalid_payload", field: "user_id" } });
  });

  test("[A23] refuses tokens of the very second, and never goes back", async () => {
    await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
      const desk = new Desk(storage, scripted);
      const who = (iat: number) => ({ ...principalWith(["chat"]), iat });
      desk.advance(999);
      expect(desk.session.signOut()).toEqual({ ok: true, value: undefined });
      desk.now = BEGIN - 60_000;
      expect(desk.session.signOut().ok).toBe(true);
      desk.crash();
      const readable = (iat: number) => desk.session.requests.listThreads(who(iat), { limit: 1 }).ok;
      expect([readable(BEGIN / 1_000), readable(BEGIN / 1_000 + 1)]).toEqual([false, true]);
    });
  });

  test("[A23] a token from before cannot renew a connection from after", async () => {
    await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
      const desk = new Desk(storage, scripted, { verify: async () => ok(principalWith(["chat"])) });
      desk.session.signOut();
      const tab = desk.connect({ principal: { ...principalWith(["chat"]), iat: BEGIN / 1_000 + 1 } });
      await desk.send(tab, { type: "auth_refresh", id: "r1", payload: { token: "a.b.c" } });
      expect(tab.sent.at(-1)).toMatchObject({
        reply_to: "r1",
        payload: { code: "signed_out", fatal: false },
      });
    });
  });

  test("[A23] lets runs in progress end, for whoever signs in again", async () => {
    const sub = newUser();
    const tab = await connect(sub);
    tab.say("q", "question", { data: { script: [{ text: "the answer", times: 5, pace_ms: 5 }] } });
    await tab.next("agent_started");
    await post("/v1/auth/sign-out", { sub });
    await tab.untilClosed();
    await waitFor(async () => {
      const page = await get("/v1/threads/main/messages", { sub, ...NEW() });
      const { messages } = await page.json<{ messages: readonly { readonly status?: string }[] }>();
      return messages.some(({ status }) => status === "succeeded");
    });
  });
});
