/** How often one may knock: by address before anything is verified, by user before anything is asked. */
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";
import { app } from "../../src/edge/app.ts";
import { newUser } from "../support/client.ts";
import { countSessions, HOST, listen, upgradeOf } from "../support/edge.ts";
import { signToken } from "../support/tokens.ts";

/** A counter that has had enough of some keys. */
function limit(...full: string[]) {
  const asked: string[] = [];
  const counter = {
    limit: async ({ key }: { key: string }) => {
      asked.push(key);
      return { success: !full.includes(key) };
    },
  };
  return { asked, counter };
}

function from(address: string | undefined, request: Request): Request {
  const headers = new Headers(request.headers);
  if (address !== undefined) headers.set("CF-Connecting-IP", address);
  return new Request(request, { headers });
}

const REFUSED = { error: { code: "rate_limited", message: expect.any(String), retry_after_ms: 60_000 } };

describe("the rate", () => {
  test("[A25] of an address is looked at before its token, which may be anything", async () => {
    const { asked, counter } = limit("203.0.113.7");
    const before = await countSessions();
    const request = from("203.0.113.7", upgradeOf({ token: "garbage" }));
    const answer = await app.fetch(request, { ...env, RATE_BY_ADDRESS: counter });
    expect([answer.status, answer.headers.get("Retry-After")]).toEqual([429, "60"]);
    expect(await answer.json()).toEqual(REFUSED);
    expect(asked).toEqual(["203.0.113.7"]);
    expect(await countSessions()).toBe(before);
  });

  test("[A25] is told to a browser on a socket, with 4203", async () => {
    const { counter } = limit("203.0.113.7");
    const offers = ["throughline.v1", `jwt.${await signToken()}`];
    const request = from("203.0.113.7", upgradeOf({ offers }));
    const told = await listen(await app.fetch(request, { ...env, RATE_BY_ADDRESS: counter }));
    expect(told).toMatchObject({
      frames: [{ payload: { code: "rate_limited", retryable: true, retry_after_ms: 60_000 } }],
      code: 4203,
    });
  });

  test.each([
    ["/v1/threads", "GET"],
    ["/v1/events", "GET"],
    ["/v1/auth/ticket", "POST"],
    ["/v1/auth/sign-out", "POST"],
  ])("[A25] of a user holds for %s", async (path, method) => {
    const sub = newUser();
    const headers = { Authorization: `Bearer ${await signToken({ sub })}` };
    const ask = (variables: object) =>
      app.fetch(new Request(new URL(path, HOST), { method, headers }), { ...env, ...variables });
    const { asked, counter } = limit();
    expect((await ask({ RATE_BY_USER: counter })).status).toBe(200);
    const full = limit(...asked);
    const before = await countSessions();
    const answer = await ask({ RATE_BY_USER: full.counter });
    expect([answer.status, await answer.json()]).toEqual([429, REFUSED]);
    expect(await countSessions()).toBe(before);
  });

  test.each(["events", "runs", "runs/r_1_x/events"])(
    "[A25] what services ask about a user is counted by that user (%s)",
    async (route) => {
      const user_id = await userId("local", newUser());
      const headers = {
        Authorization: `Bearer ${await signToken({ sub: "crm", permissions: ["service"] })}`,
        "Content-Type": "application/json",
      };
      const { asked, counter } = limit(`service:${user_id}`);
      const request = new Request(new URL(`/v1/users/${user_id}/${route}`, HOST), {
        method: "POST",
        headers,
        body: "{}",
      });
      const answer = await app.fetch(request, { ...env, RATE_BY_USER: counter });
      expect([answer.status, asked]).toEqual([429, [`service:${user_id}`]]);
    },
  );

  test("[A25] of a user is not used up by others, nor by tokens that are no good", async () => {
    const { asked, counter } = limit();
    const bad = upgradeOf({ token: await signToken({}, { secret: "x".repeat(32) }) });
    await app.fetch(bad, { ...env, RATE_BY_USER: counter });
    expect(asked).toEqual([]);
  });

  test.each([
    ["an IPv4 address", "203.0.113.7", ["203.0.113.7"]],
    ["an IPv6 address, by its network", "2001:db8:1:2:3:4:5:6", ["2001:db8:1:2"]],
    ["a short IPv6 address", "2001:db8::1", ["2001:db8:0:0"]],
    ["an IPv6 address with zeros", "2001:0DB8:0001::", ["2001:db8:1:0"]],
    ["this machine", "127.0.0.1", []],
    ["this machine, in IPv6", "::1", []],
    ["nothing", undefined, []],
  ])("[A25] counts %s", async (_, address, keys) => {
    const { asked, counter } = limit();
    await app.fetch(from(address, upgradeOf({ token: "garbage" })), { ...env, RATE_BY_ADDRESS: counter });
    expect(asked).toEqual(keys);
  });

  test("[A25] is the platform's own counter, which lets through what wrangler.toml says", async () => {
    const token = await signToken({}, { secret: "x".repeat(32) });
    const ask = () => app.fetch(from("198.51.100.9", upgradeOf({ token })), env);
    const statuses = await Promise.all(Array.from({ length: 1_010 }, async () => (await ask()).status));
    expect(statuses.filter((status) => status === 401)).toHaveLength(1_000);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  });
});
