/** What the Worker hands to the user's object, and what it hands back. */
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { createApp } from "../../src/edge/app.ts";
import type { Env } from "../../src/edge/env.ts";
import { errorPayload } from "../../src/protocol/refusal.ts";
import { refuse } from "../../src/protocol/result.ts";
import { readUpgradeRequest } from "../../src/session/upgrade-request.ts";
import {
  countSessions,
  firstFrame,
  HOST,
  listen,
  send,
  type UpgradeInit,
  upgradeOf,
  type Variables,
} from "../support/edge.ts";
import { edgePorts } from "../support/ports.ts";
import { nowS, signToken } from "../support/tokens.ts";

const ALICE = "u_o33fvxoyt43fdbpvkiws32hmmz3nmwtidyd2hpyuk2wtegmvb2ja";

const notAskedFor = () => Promise.reject(new Error("not asked for"));

/** A namespace that notes which object was asked for what. */
function recorder(answer = new Response(null, { status: 101, webSocket: new WebSocketPair()[0] })) {
  const calls: { name: string; request: Request }[] = [];
  const USER_SESSION: Env["USER_SESSION"] = {
    getByName: (name) => ({
      fetch: async (request) => {
        calls.push({ name, request });
        return answer;
      },
      listThreads: notAskedFor,
      listMessages: notAskedFor,
      readEvents: notAskedFor,
      readState: notAskedFor,
      readUsage: notAskedFor,
      submit: notAskedFor,
      answer: notAskedFor,
      exportPage: notAskedFor,
      exportThreads: notAskedFor,
      runJournal: notAskedFor,
      erase: notAskedFor,
      overview: notAskedFor,
      publish: notAskedFor,
      startRun: notAskedFor,
      feed: notAskedFor,
      answerWait: notAskedFor,
      invalidate: notAskedFor,
      signOut: notAskedFor,
    }),
  };
  return { calls, USER_SESSION };
}

async function handedOver(init: UpgradeInit, variables: Variables = {}) {
  const { calls, USER_SESSION } = recorder();
  const response = await send(upgradeOf({ token: await signToken(), ...init }), {
    ...variables,
    USER_SESSION,
  });
  const [call] = calls;
  if (call === undefined) throw new Error(`not handed over: ${await response.text()}`);
  return { ...call, ...readUpgradeRequest(call.request) };
}

describe("a good upgrade", () => {
  test("[E7] reaches the object named after the user, with the principal and without the token", async () => {
    const token = await signToken({ plan: "pro", permissions: ["chat"], iat: nowS() - 5 });
    const { name, request, shake } = await handedOver({ token });
    expect(name).toBe(ALICE);
    expect(shake.principal).toMatchObject({
      user_id: ALICE,
      realm: "local",
      sub: "alice",
      permissions: ["chat"],
      plan: "pro",
      iat: nowS() - 5,
    });
    expect(JSON.stringify([...request.headers, request.url])).not.toContain(token);
  });

  test("[E7] hands on what the client says about itself, unparsed", async () => {
    const said = "client_id=tab%201&n=-1&epoch=&since=1e309&state_version=%00&x=1";
    const { shake } = await handedOver({ path: `/v1/ws?${said}` });
    expect(shake).toMatchObject({ codec: "native", client_id: "tab 1", n: "-1", epoch: "", since: "1e309" });
    expect(shake).toHaveProperty("state_version", "\0");
    expect(shake).not.toHaveProperty("x");
  });

  test("[E7] that says nothing about itself is handed on as that", async () => {
    const { shake } = await handedOver({});
    expect(Object.keys(shake).sort()).toEqual(["codec", "principal"]);
  });

  test("[E7] hands on none of the client's headers", async () => {
    const { calls, USER_SESSION } = recorder();
    const request = upgradeOf({ token: await signToken() });
    request.headers.set("x-throughline-handshake", "forged");
    request.headers.set("Cookie", "a=b");
    await send(request, { USER_SESSION });
    const names = [...(calls[0]?.request.headers.keys() ?? [])].sort();
    expect(names).toEqual(["upgrade", "x-throughline-handshake"]);
    expect(calls[0]?.request.headers.get("x-throughline-handshake")).not.toBe("forged");
  });

  test.each([256, 257])("[E7] hands on an epoch of up to 256 characters (%i)", async (length) => {
    const { calls, USER_SESSION } = recorder();
    const init = { path: `/v1/ws?epoch=${"x".repeat(length)}`, token: await signToken() };
    await send(upgradeOf(init), { USER_SESSION });
    expect(calls.length).toBe(length === 256 ? 1 : 0);
  });

  test.each([
    ["/v1/ws", ["throughline.v1", "jwt."], "throughline.v1"],
    ["/v1/ws", ["throughline.v2", "bearer.", "throughline.v1"], "throughline.v1"],
    ["/ws", ["throughline.v1", "jwt."], "throughline.v1"],
    ["/v1/ws", [], undefined],
    ["/v1/ws", ["graphql-ws"], undefined],
  ])("[E6] on %s that offers %o is to be echoed %s", async (path, offers, expected) => {
    const token = await signToken();
    const withToken = offers.map((offer) => (offer.endsWith(".") ? `${offer}${token}` : offer));
    const { subprotocol } = await handedOver({ path, offers: withToken });
    expect(subprotocol).toBe(expected);
  });

  test("[E7] gets the object's own answer, untouched", async () => {
    const answer = new Response(null, { status: 101, webSocket: new WebSocketPair()[0] });
    const { USER_SESSION } = recorder(answer);
    expect(await send(upgradeOf({ token: await signToken() }), { USER_SESSION })).toBe(answer);
  });

  test("[E7] is greeted by the user's object, which now exists", async () => {
    const before = await countSessions();
    const offers = ["throughline.v1", `jwt.${await signToken()}`];
    const response = await send(upgradeOf({ offers }));
    expect([response.status, response.headers.get("Sec-WebSocket-Protocol")]).toEqual([
      101,
      "throughline.v1",
    ]);
    expect(await firstFrame(response)).toMatchObject({
      type: "connection_established",
      payload: { user_id: ALICE, permissions: ["chat", "agents"], plan: "free" },
    });
    expect(await countSessions()).toBe(before + 1);
  });
});

describe("an upgrade that only the object can refuse", () => {
  const refusal = refuse("connection_limit", "a user may have 10 connections", { limit: 10 }).refusal;

  async function answered(offers: readonly string[]) {
    const { USER_SESSION } = recorder(Response.json({ error: errorPayload(refusal, true) }, { status: 429 }));
    return send(upgradeOf({ offers, token: await signToken() }), { USER_SESSION });
  }

  test("[E3] is answered with its status", async () => {
    const response = await answered([]);
    expect(response.status).toBe(429);
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(await response.json()).toEqual({ error: { ...refusal } });
  });

  test("[E4] is told so on a socket where throughline.v1 was offered", async () => {
    expect(await listen(await answered(["throughline.v1"]))).toMatchObject({
      frames: [{ type: "error", payload: { code: "connection_limit", limit: 10, fatal: true } }],
      code: 4005,
      reason: "connection_limit",
    });
  });

  test("[E14] is a fault of ours if it makes no sense", async () => {
    const { USER_SESSION } = recorder(Response.json({ error: "nonsense" }, { status: 429 }));
    const quiet = createApp(edgePorts());
    const response = await quiet.fetch(upgradeOf({ token: await signToken() }), { ...env, USER_SESSION });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: { code: "internal" } });
  });
});

describe("the page's origin", () => {
  const variables = { ALLOWED_ORIGINS: "https://app.example" };

  test.each([
    ["none, as servers send", undefined],
    ["the Worker's own", HOST],
    ["an allowed one", "https://app.example"],
  ])("[E18] may be %s", async (_, origin) => {
    const { name } = await handedOver(origin === undefined ? {} : { origin }, variables);
    expect(name).toBe(ALICE);
  });

  test.each([
    ["null", "null"],
    ["another port of the Worker's own", `${HOST}:8443`],
    ["the Worker's own without encryption", HOST.replace("https", "http")],
    ["one that begins like an allowed one", "https://app.example.evil.example"],
    ["a part of an allowed one", "https://app"],
  ])("[E18] may not be %s", async (_, origin) => {
    const { calls, USER_SESSION } = recorder();
    const init = { token: await signToken(), origin };
    const response = await send(upgradeOf(init), { ...variables, USER_SESSION });
    expect([response.status, calls.length]).toEqual([403, 0]);
  });
});
