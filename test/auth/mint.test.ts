import { decodeJwt, decodeProtectedHeader } from "jose";
import { expect, test } from "vitest";
import { mintToken } from "../../src/auth/mint.ts";
import { verifyToken } from "../../src/auth/verify.ts";
import { realms, settings } from "../support/ports.ts";
import { SECRET } from "../support/tokens.ts";

const AT_S = 1_800_000_000;
const now = () => AT_S * 1000;
const WANTED = { realm: "local", sub: "alice", exp: AT_S + 60, permissions: ["chat"], plan: "pro" } as const;

test("[A13] a minted token says what was asked for, in our realm", async () => {
  const token = await mintToken(WANTED, settings(), now);
  expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "JWT" });
  expect(decodeJwt(token)).toEqual({
    sub: "alice",
    realm: "local",
    permissions: ["chat"],
    plan: "pro",
    iat: AT_S,
    auth_time: AT_S,
    exp: AT_S + 60,
  });
});

test("[A13] a minted token is accepted where it was made", async () => {
  const ours = { JWT_ISSUER: "us", JWT_AUDIENCE: "chat" };
  const token = await mintToken(WANTED, settings(ours), now);
  expect(await verifyToken(token, realms(ours), now)).toMatchObject({ ok: true, value: { sub: "alice" } });
});

test.each([
  ["under another secret", { JWT_SECRET: `${SECRET}!` }, "token_signature"],
  ["by another issuer", { JWT_ISSUER: "them" }, "token_issuer"],
  ["for another audience", { JWT_AUDIENCE: "them" }, "token_audience"],
])("[A13] and refused %s", async (_, variables, code) => {
  const token = await mintToken(WANTED, settings(), now);
  expect(await verifyToken(token, realms(variables), now)).toMatchObject({ ok: false, refusal: { code } });
});
