import { decodeJwt, decodeProtectedHeader } from "jose";
import { expect, test } from "vitest";
import { mintToken } from "../../src/auth/mint.ts";
import { realmOf } from "../../src/auth/realms.ts";
import { verifyToken } from "../../src/auth/verify.ts";
import { type Settings, settingsOf } from "../../src/config.ts";
import { SECRET } from "../support/tokens.ts";

const AT_S = 1_800_000_000;
const now = () => AT_S * 1000;
const WANTED = { sub: "alice", ttl_s: 60, permissions: ["chat"], plan: "pro" } as const;

function settings(variables: Record<string, string> = {}): Settings {
  const parsed = settingsOf({ JWT_SECRET: SECRET, ...variables });
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  return parsed.value;
}

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
  const ours = settings({ JWT_ISSUER: "us", JWT_AUDIENCE: "chat" });
  const token = await mintToken(WANTED, ours, now);
  expect(await verifyToken(token, realmOf(ours), now)).toMatchObject({ ok: true, value: { sub: "alice" } });
});

test.each([
  ["under another secret", { JWT_SECRET: `${SECRET}!` }, "token_signature"],
  ["by another issuer", { JWT_ISSUER: "them" }, "token_issuer"],
  ["for another audience", { JWT_AUDIENCE: "them" }, "token_audience"],
])("[A13] and refused %s", async (_, variables, code) => {
  const token = await mintToken(WANTED, settings(), now);
  const elsewhere = realmOf(settings(variables));
  expect(await verifyToken(token, elsewhere, now)).toMatchObject({ ok: false, refusal: { code } });
});
