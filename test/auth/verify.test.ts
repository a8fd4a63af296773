import { base64url } from "jose";
import { describe, expect, test } from "vitest";
import { verifySignature, verifyToken } from "../../src/auth/verify.ts";
import { realms } from "../support/ports.ts";
import {
  claimsOf,
  rs256Token,
  SECRET,
  signRaw,
  type TestClaims,
  tamper,
  unsignedToken,
} from "../support/tokens.ts";

const AT_S = 1_800_000_000;

/** Verifies at second `AT_S`. */
function verify(token: string, variables: Record<string, string> = {}) {
  return verifyToken(token, realms(variables), () => AT_S * 1000 + 999);
}

/** A token of second `AT_S`. */
function token(claims: TestClaims = {}, signing: Parameters<typeof signRaw>[1] = {}): Promise<string> {
  return signRaw(claimsOf(claims, AT_S), signing);
}

async function codeOf(text: string, variables: Record<string, string> = {}): Promise<string> {
  const result = await verify(text, variables);
  return result.ok ? "ok" : result.refusal.code;
}

describe("a good token", () => {
  test("[A4] proves who is calling", async () => {
    const text = await token({ plan: "pro", auth_time: AT_S - 60 });
    expect(await verify(text)).toEqual({
      ok: true,
      value: {
        user_id: "u_o33fvxoyt43fdbpvkiws32hmmz3nmwtidyd2hpyuk2wtegmvb2ja",
        realm: "local",
        sub: "alice",
        permissions: ["chat", "agents"],
        plan: "pro",
        iat: AT_S,
        auth_time: AT_S - 60,
        exp: AT_S + 3600,
      },
    });
  });

  test.each([{ typ: "JWT" }, { typ: "jwt" }, { typ: "at+jwt" }, { typ: undefined }])(
    "[A10] may have the header %o",
    async (header) => {
      expect(await codeOf(await token({}, { header }))).toBe("ok");
    },
  );
});

describe("a token that is not one", () => {
  test.each([
    ["an empty text", ""],
    ["a word", "garbage"],
    ["two dots", ".."],
    ["two parts", "e30.e30"],
    ["an encrypted token's five parts", "e30.e30.e30.e30.e30"],
    ["a header that is not base64url", "@@@.e30.AAAA"],
    ["a header that is not JSON", `${base64url.encode("{")}.e30.AAAA`],
    ["a header without an algorithm", "e30.e30.AAAA"],
    ["a header whose algorithm is a number", `${base64url.encode('{"alg":256}')}.e30.AAAA`],
    ["characters no token has", "\u00e9\u0000.\u00ff.\ud800"],
  ])("[A5] %s is token_malformed", async (_, text) => {
    expect(await codeOf(text)).toBe("token_malformed");
  });

  test.each([
    ["is not JSON", "alice"],
    ["is a list", "[]"],
    ["is empty", ""],
  ])("[A5] one whose signed payload %s is token_malformed", async (_, payload) => {
    expect(await codeOf(await signRaw(payload))).toBe("token_malformed");
  });

  test("[A5] one with a critical header we do not know is token_malformed", async () => {
    const header = base64url.encode(JSON.stringify({ alg: "HS256", crit: ["x"], x: 1 }));
    const [, payload, signature] = (await token()).split(".");
    expect(await codeOf(`${header}.${payload}.${signature}`)).toBe("token_malformed");
  });

  test("[A5] no damage to a good one gets through or throws", async () => {
    const good = await token();
    const damaged = Array.from({ length: good.length }, (_, at) => {
      const other = good.charAt(at) === "." ? "A" : ".";
      return good.slice(0, at) + other + good.slice(at + 1);
    });
    const codes = await Promise.all(damaged.map((text) => codeOf(text)));
    expect(new Set(codes)).toEqual(new Set(["token_malformed"]));
  });
});

describe("the signature", () => {
  test("[A6] by another secret is token_signature", async () => {
    expect(await codeOf(await token({}, { secret: `${SECRET}!` }))).toBe("token_signature");
  });

  test("[A6] over other claims is token_signature", async () => {
    expect(await codeOf(tamper(await token(), { sub: "bob" }))).toBe("token_signature");
  });

  test("[A6] cut off is token_signature", async () => {
    const [header, payload] = (await token()).split(".");
    expect(await codeOf(`${header}.${payload}.`)).toBe("token_signature");
  });

  test.each(["none", "None", "nOnE", "RS256", "constructor"])(
    "[A6] left out under the algorithm %s is token_algorithm",
    async (alg) => {
      expect(await codeOf(unsignedToken({}, alg))).toBe("token_algorithm");
    },
  );

  test("[A6] by another algorithm is token_algorithm, be the secret right", async () => {
    expect(await codeOf(await token({}, { alg: "HS512", secret: SECRET.repeat(2) }))).toBe("token_algorithm");
    expect(await codeOf(await rs256Token())).toBe("token_algorithm");
  });
});

describe("the times", () => {
  test.each([
    ["expires in a second", { exp: AT_S + 1 }],
    ["expired 29 s ago", { exp: AT_S - 29 }],
    ["begins in 30 s", { nbf: AT_S + 30 }],
    ["was issued 30 s from now", { iat: AT_S + 30 }],
  ])("[A7] a token that %s is good", async (_, claims) => {
    expect(await codeOf(await token(claims))).toBe("ok");
  });

  test.each([
    ["expired 30 s ago", { exp: AT_S - 30 }, "token_expired"],
    ["expired in 1970", { exp: 0 }, "token_expired"],
    ["begins in 31 s", { nbf: AT_S + 31 }, "token_not_yet_valid"],
    ["was issued 31 s from now", { iat: AT_S + 31 }, "token_not_yet_valid"],
  ])("[A7] one that %s is refused", async (_, claims, code) => {
    expect(await codeOf(await token(claims))).toBe(code);
  });
});

describe("issuer and audience", () => {
  const variables = { JWT_ISSUER: "https://id.example", JWT_AUDIENCE: "chat" };
  const good = { iss: "https://id.example", aud: "chat" };

  test.each([
    ["one audience", good],
    ["several audiences", { ...good, aud: ["billing", "chat"] }],
  ])("[A8] a token of the configured issuer for %s is good", async (_, claims) => {
    expect(await codeOf(await token(claims), variables)).toBe("ok");
  });

  test.each([
    ["another issuer", { ...good, iss: "https://id.example/" }, "token_issuer"],
    ["no issuer", { ...good, iss: undefined }, "token_issuer"],
    ["a list of issuers", { ...good, iss: ["https://id.example"] }, "token_issuer"],
    ["another audience", { ...good, aud: "chat2" }, "token_audience"],
    ["no audience", { ...good, aud: undefined }, "token_audience"],
    ["an empty list of audiences", { ...good, aud: [] }, "token_audience"],
  ])("[A8] one with %s is refused", async (_, claims, code) => {
    expect(await codeOf(await token(claims), variables)).toBe(code);
  });

  test("[A8] what is not configured is not asked for", async () => {
    expect(await codeOf(await token({ iss: "anyone", aud: "anything" }))).toBe("ok");
  });
});

describe("the claims", () => {
  test.each([
    ["sub", undefined],
    ["sub", 7],
    ["sub", null],
    ["sub", ""],
    ["sub", "x".repeat(256)],
    ["exp", undefined],
    ["exp", "tomorrow"],
    ["exp", 1e300],
    ["iat", undefined],
    ["iat", "now"],
    ["nbf", "soon"],
    ["auth_time", "earlier"],
    ["realm", "google"],
    ["realm", 1],
    ["permissions", "chat"],
    ["permissions", ["chat", 7]],
    ["permissions", null],
    ["plan", "gold"],
  ])("[A9] a %s of %o is token_claims and named", async (field, value) => {
    const result = await verify(await token({ [field]: value }));
    expect(result).toMatchObject({ ok: false, refusal: { code: "token_claims", field } });
  });

  test("[A9] an exp beyond all numbers is token_claims", async () => {
    expect(await codeOf(await signRaw(`{"sub":"alice","iat":${AT_S},"exp":1e999}`))).toBe("token_claims");
  });

  test.each([["x"], ["x".repeat(255)]])("[A9] a sub at the limit is good", async (sub) => {
    expect(await codeOf(await token({ sub, realm: "local" }))).toBe("ok");
  });

  test.each(["ticket+jwt", "logout+jwt", 7])("[A10] a token of the type %s is token_claims", async (typ) => {
    const result = await verify(await token({}, { header: { typ } }));
    expect(result).toMatchObject({ refusal: { code: "token_claims", field: "typ" } });
  });

  test.each([
    [undefined, ["chat", "agents"]],
    [[], []],
    [["chat"], ["chat"]],
    [
      ["admin", "chat", "chat", "root", "CHAT"],
      ["chat", "admin"],
    ],
    [["service"], ["service"]],
  ])("[A11] permissions of %o grant %o", async (permissions, granted) => {
    const result = await verify(await token({ permissions }));
    expect(result).toMatchObject({ ok: true, value: { permissions: granted, plan: "free" } });
  });
});

test("[A5] a key that cannot be looked at is not blamed on the token", async () => {
  const broken = async () => Promise.reject(new Error("no key"));
  await expect(verifySignature(await token(), broken, {})).rejects.toThrow("no key");
});

test("[A12] no refusal repeats anything of the token", async () => {
  const marked = "s3cr3t-mark";
  const tokens = [
    marked,
    unsignedToken({ sub: marked }),
    await token({ sub: marked }, { secret: `${SECRET}!` }),
    await token({ sub: marked, plan: marked }),
    await token({ sub: marked, realm: marked }),
    await token({ sub: marked }, { header: { typ: marked } }),
  ];
  for (const text of tokens) {
    const result = await verify(text);
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain(marked);
  }
});
