import { describe, expect, test } from "vitest";
import { headerCredential, MAX_TOKEN_BYTES, upgradeCredential } from "../../src/auth/credentials.ts";

function withHeaders(offers: string | undefined, authorization?: string): Headers {
  const headers = new Headers();
  if (offers !== undefined) headers.set("Sec-WebSocket-Protocol", offers);
  if (authorization !== undefined) headers.set("Authorization", authorization);
  return headers;
}

describe("where a credential may be", () => {
  test.each([
    ["the subprotocol jwt.", withHeaders("throughline.v1, jwt.a.b.c")],
    ["the subprotocol bearer.", withHeaders("throughline.v1,bearer.a.b.c")],
    ["a subprotocol offered before ours", withHeaders("jwt.a.b.c, throughline.v1")],
    ["the Authorization header", withHeaders("throughline.v1", "Bearer a.b.c")],
    ["the Authorization header, its scheme in any case", withHeaders(undefined, "bEaReR  a.b.c")],
    ["the first of two subprotocols", withHeaders("throughline.v1, bearer.a.b.c, jwt.d.e.f")],
    ["the subprotocol before the header", withHeaders("throughline.v1, jwt.a.b.c", "Bearer d.e.f")],
  ])("[A2] an upgrade's is taken from %s", (_, headers) => {
    expect(upgradeCredential(headers)).toEqual({ ok: true, value: "a.b.c" });
  });

  test.each([
    ["an empty subprotocol", withHeaders("throughline.v1, jwt.", "Bearer a.b.c")],
    ["an empty Bearer", withHeaders(undefined, "Bearer")],
  ])("[A2] %s is a credential, if an empty one", (_, headers) => {
    expect(upgradeCredential(headers)).toEqual({ ok: true, value: "" });
  });

  test.each([
    ["no header at all", withHeaders(undefined)],
    ["our subprotocol alone", withHeaders("throughline.v1")],
    ["another scheme", withHeaders("throughline.v1", "Basic YTpi")],
    ["a scheme that only begins with Bearer", withHeaders(undefined, "BearerX a.b.c")],
    ["a subprotocol of another kind", withHeaders("throughline.v1, token.a.b.c, JWT.a.b.c")],
  ])("[A2] %s is none", (_, headers) => {
    expect(upgradeCredential(headers)).toMatchObject({ ok: false, refusal: { code: "token_missing" } });
  });

  test("[A2] an HTTP request's is never taken from a subprotocol", () => {
    expect(headerCredential(withHeaders("throughline.v1, jwt.a.b.c"))).toMatchObject({
      refusal: { code: "token_missing" },
    });
  });
});

describe("how long a credential may be", () => {
  test.each([MAX_TOKEN_BYTES - 1, MAX_TOKEN_BYTES])("[A3] %i bytes are accepted", (length) => {
    expect(headerCredential(withHeaders(undefined, `Bearer ${"x".repeat(length)}`)).ok).toBe(true);
  });

  test("[A3] one byte more is refused with the limit", () => {
    const long = "x".repeat(MAX_TOKEN_BYTES + 1);
    const refused = { ok: false, refusal: { code: "token_malformed", limit: 8192 } };
    expect(headerCredential(withHeaders(undefined, `Bearer ${long}`))).toMatchObject(refused);
    expect(upgradeCredential(withHeaders(`throughline.v1, jwt.${long}`))).toMatchObject(refused);
  });
});
