/** The routes anyone may ask, the wrong ones, and what all answers have in common. */

import { describe, expect, test } from "vitest";
import { mintTicket } from "../../src/auth/ticket.ts";
import { createApp } from "../../src/edge/app.ts";
import { discovery } from "../../src/protocol/discovery.ts";
import { principalWith } from "../support/desk.ts";
import { HOST, listen, send, upgradeOf } from "../support/edge.ts";
import { edgePorts, settings } from "../support/ports.ts";
import { SECRET, signToken } from "../support/tokens.ts";

function get(path: string, host = HOST, init: RequestInit = {}): Request {
  return new Request(new URL(path, host), init);
}

const NOT_THERE = { error: { code: "not_found", message: "there is no such route" } };

describe("GET /v1/config", () => {
  test("[E8] is a valid discovery document", async () => {
    const response = await send(get("/v1/config"));
    expect(response.status).toBe(200);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(discovery.parse(await response.json())).toMatchObject({
      websocket: { url: "wss://chat.example/v1/ws", subprotocols: ["throughline.v1"] },
      auth: {
        methods: ["subprotocol", "header", "ticket"],
        subprotocol_prefixes: ["jwt.", "bearer."],
        ticket_url: "https://chat.example/v1/auth/ticket",
      },
      heartbeat: { interval_ms: 25_000, timeout_ms: 10_000 },
      close_codes: { token_expired: 4100 },
    });
  });

  test("[E8] names the exchange only where there are providers, and the free plan's limits", async () => {
    const document = async (variables: Record<string, unknown>) =>
      discovery.parse(await (await send(get("/v1/config"), variables)).json());
    const realm = { name: "acme", issuer: "https://id.acme.example", audience: "throughline" };
    const plain = await document({});
    expect([plain.auth.exchange_url, plain.limits.connections]).toEqual([undefined, 10]);
    const other = await document({ OIDC_REALMS: [realm], PLANS: '{"free":{"connections":3}}' });
    expect(other.auth.exchange_url).toBe("https://chat.example/v1/auth/token");
    expect(other.limits.connections).toBe(3);
  });

  test("[E8] names the host and scheme that were asked", async () => {
    const document = discovery.parse(await (await send(get("/v1/config", "http://127.0.0.1:8787"))).json());
    expect(document.websocket.url).toBe("ws://127.0.0.1:8787/v1/ws");
  });

  test.each([
    ["http://localhost:8787", "development", "http://localhost:8787/v1/dev/token"],
    ["http://localhost:8787", "production", undefined],
    [HOST, "development", undefined],
  ])("[E8] asked on %s in %s names the dev token route %s", async (host, ENVIRONMENT, url) => {
    const document = discovery.parse(await (await send(get("/v1/config", host), { ENVIRONMENT })).json());
    expect(document.auth.dev_token_url).toBe(url);
  });
});

describe("a Worker that is not configured", () => {
  test.each(["/health", "/v1/config", "/v1/threads", "/v1/threads/main/messages"])(
    "[E2] answers %s with 503 and the variable",
    async (path) => {
      const response = await send(get(path), { JWT_SECRET: "too short a secret" });
      expect(response.status).toBe(503);
      const text = await response.text();
      expect(text).not.toContain("too short a secret");
      expect(JSON.parse(text)).toMatchObject({
        error: { code: "not_configured", field: "JWT_SECRET", message: expect.stringContaining("32 bytes") },
      });
    },
  );

  test("[E2] names a mistyped ENVIRONMENT rather than guess", async () => {
    const response = await send(get("/health"), { ENVIRONMENT: "prod" });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { field: "ENVIRONMENT" } });
  });

  test("[E2] is well with its secret alone", async () => {
    const response = await send(get("/health"), { JWT_SECRET: SECRET, ENVIRONMENT: undefined });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok", protocol: 1 });
  });
});

describe("what is not there", () => {
  test.each(["/v1", "/v1/", "/v1/nothing", "/v1/ws/x", "/v1/threads/a/b/c", "/v1/constructor"])(
    "[E12] %s is a 404 in JSON",
    async (path) => {
      const response = await send(get(path));
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual(NOT_THERE);
    },
  );

  test.each([
    ["POST", "/v1/config", "GET, HEAD"],
    ["DELETE", "/v1/threads", "POST, GET, HEAD"],
    ["PUT", "/v1/threads/main/messages", "GET, HEAD"],
    ["GET", "/v1/messages", "POST"],
    ["POST", "/v1/me", "DELETE"],
    ["POST", "/health", "GET, HEAD"],
  ])("[E12] %s %s is a 405 that names the methods there are", async (method, path, allow) => {
    const response = await send(get(path, HOST, { method }));
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe(allow);
    expect(await response.json()).toMatchObject({ error: { code: "method_not_allowed" } });
  });

  test("[E12] everything else is the page's", async () => {
    const asked: string[] = [];
    const fetch = async (request: Request) => {
      asked.push(new URL(request.url).pathname);
      return new Response("<!doctype html>", { headers: { "Cache-Control": "max-age=60" } });
    };
    const response = await send(get("/v1x/page"), { ASSETS: { fetch } });
    expect(asked).toEqual(["/v1x/page"]);
    expect(response.headers.get("Cache-Control")).toBe("max-age=60");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
  });
});

describe("every answer", () => {
  test.each(["/health", "/v1/config", "/v1/threads", "/v1/nothing", "/v1/ws"])(
    "[E13] of %s is safe and kept by nobody",
    async (path) => {
      const { headers } = await send(get(path));
      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(headers.get("Referrer-Policy")).toBe("no-referrer");
      expect(headers.get("Cache-Control")).toBe("no-store");
      expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get("Strict-Transport-Security")).toBe("max-age=31536000");
      expect(headers.get("Cross-Origin-Resource-Policy")).toBe("same-origin");
    },
  );
});

describe("a fault of ours", () => {
  const broken = {
    getByName: () => Promise.reject(new TypeError("my secret salary\n    at secret/place.ts")),
  };
  const variables = { JWT_SECRET: SECRET, USER_SESSION: { getByName: () => ({ fetch: broken.getByName }) } };

  function faulty() {
    const logged: unknown[] = [];
    const app = createApp(edgePorts({ report: (...entry) => logged.push(entry) }));
    return { app, logged };
  }

  test("[E14] is a 500 without its cause, which goes to the log", async () => {
    const { app, logged } = faulty();
    const response = await app.fetch(upgradeOf({ token: await signToken() }), variables);
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toMatch(/secret|salary/);
    expect(JSON.parse(text)).toEqual({ error: { code: "internal", message: expect.any(String) } });
    const fault = {
      path: "/v1/ws",
      kind: "TypeError",
      where: expect.arrayContaining([expect.stringContaining("routes.test")]),
    };
    expect(logged).toEqual([["error", "request failed", expect.objectContaining(fault)]]);
    expect(JSON.stringify(logged)).not.toMatch(/secret|salary/);
  });

  test("[A12] leaves neither token nor ticket in the log", async () => {
    const { app, logged } = faulty();
    const token = await signToken();
    const who = { ...principalWith(["chat"]), exp: Math.floor(Date.now() / 1_000) + 60 };
    const ticket = await mintTicket(who, "0123456789abcdef", settings(), () => Date.now());
    const offers = ["throughline.v1", `jwt.${token}`];
    for (const init of [{ token }, { offers }, { path: `/v1/ws?ticket=${ticket}` }]) {
      await app.fetch(upgradeOf(init), variables);
    }
    expect(logged).toHaveLength(3);
    const text = JSON.stringify(logged);
    for (const secret of [token, ticket, token.split(".")[2], ticket.split(".")[2], SECRET]) {
      expect(text).not.toContain(secret);
    }
  });

  test("[E14] tells a browser to try again later", async () => {
    const { app } = faulty();
    const offers = ["throughline.v1", `jwt.${await signToken()}`];
    const told = await listen(await app.fetch(upgradeOf({ offers }), variables));
    expect(told).toMatchObject({ frames: [{ payload: { code: "internal", retryable: true } }], code: 4204 });
    expect(JSON.stringify(told)).not.toContain("place.ts");
  });
});

describe("pages on other origins", () => {
  const variables = { ALLOWED_ORIGINS: "https://app.example" };
  const origin = { headers: { Origin: "https://app.example" } };

  test("[E15] may read answers and refusals if they are allowed", async () => {
    for (const path of ["/v1/config", "/v1/threads", "/v1/nothing"]) {
      const { headers } = await send(get(path, HOST, origin), variables);
      expect(headers.get("Access-Control-Allow-Origin")).toBe("https://app.example");
      expect(headers.get("Vary")).toBe("Origin");
    }
  });

  test.each(["/v1/config", "/v1/threads", "/v1/dev/token", "/v1/nothing"])(
    "[E15] may ask first for %s, and learn nothing by it",
    async (path) => {
      const response = await send(get(path, HOST, { method: "OPTIONS", ...origin }), variables);
      expect(response.status).toBe(204);
      expect(response.headers.get("Access-Control-Allow-Headers")).toBe(
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
      );
    },
  );

  test.each(["https://evil.example", "null", HOST])(
    "[E15] are told nothing if they are %s",
    async (Origin) => {
      const { headers } = await send(get("/v1/config", HOST, { headers: { Origin } }), variables);
      expect(headers.get("Access-Control-Allow-Origin")).toBeNull();
    },
  );
});
