import { describe, expect, test } from "vitest";
import { headerCredential, MAX_TOKEN_BYTES, upgradeCredential } from "../../src/auth/credentials.ts";

function withHeaders(offers: string | undefined, authorization?: string): Headers {
  const headers = new Headers();
  if (offers !== undefined) headers.set("Sec-WebSocket-Protocol", offers);
  if (authorization !== undefined) headers.set("Authorization", authorization);
  return headers;
}

function upgrade(headers: Headers, query = ""): Request {
  return new Request(`https://chat.example/v1/ws${query}`, { headers });
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
    expect(upgradeCredential(upgrade(headers))).toEqual({
      ok: true,
      value: { kind: "token", text: "a.b.c" },
    });
  });

  test.each([
    ["an empty subprotocol", withHeaders("throughline.v1, jwt.", "Bearer a.b.c")],
    ["an empty Bearer", withHeaders(undefined, "Bearer")],
  ])("[A2] %s is a credential, if an empty one", (_, headers) => {
    expect(upgradeCredential(upgrade(headers))).toEqual({ ok: true, value: { kind: "token", text: "" } });
  });

  test.each([
    ["no header at all", withHeaders(undefined)],
    ["our subprotocol alone", withHeaders("throughline.v1")],
    ["another scheme", withHeaders("throughline.v1", "Basic YTpi")],
    ["a scheme that only begins with Bearer", withHeaders(undefined, "BearerX a.b.c")],
    ["a subprotocol of another kind", withHeaders("throughline.v1, token.a.b.c, JWT.a.b.c")],
  ])("[A2] %s is none", (_, headers) => {
    expect(upgradeCredential(upgrade(headers))).toMatchObject({
      ok: false,
      refusal: { code: "token_missing" },
    });
  });

  test("[A2] an upgrade's is a ticket in the query, if there is no token", () => {
    const taken = (headers: Headers) => upgradeCredential(upgrade(headers, "?ticket=a.b.c"));
    expect(taken(withHeaders("throughline.v1"))).toEqual({
      ok: true,
      value: { kind: "ticket", text: "a.b.c" },
    });
    for (const headers of [
      withHeaders("throughline.v1, jwt.d.e.f"),
      withHeaders(undefined, "Bearer d.e.f"),
    ]) {
      expect(taken(headers)).toEqual({ ok: true, value: { kind: "token", text: "d.e.f" } });
    }
  });

  test.each(["?token=a.b.c", "?access_token=a.b.c", "?jwt=a.b.c", "?Ticket=a.b.c"])(
    "[A2] %s in the URL is none",
    (query) => {
      expect(upgradeCredential(upgrade(withHeaders(undefined), query))).toMatchObject({
        refusal: { code: "token_missing" },
      });
    },
  );

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
    expect(upgradeCredential(upgrade(withHeaders(`throughline.v1, jwt.${long}`)))).toMatchObject(refused);
  });
});
