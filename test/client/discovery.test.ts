import { describe, expect, test } from "vitest";
import { loadConfig, readConfig } from "../../src/client/discovery.ts";
import { config } from "./support/frames.ts";
import { started, World } from "./support/world.ts";

const FROM = new URL("http://server.test/v1/config");

function read(change: object, from = FROM) {
  return () => readConfig({ ...config(), ...change }, from);
}

describe("discovery", () => {
  test("[C17] the document is loaded once, from the origin, before the first socket", async () => {
    const { world } = await started();
    expect(world.fetched).toEqual(["http://server.test/v1/config"]);
    expect(world.socket.url.host).toBe("server.test");
    world.socket.drop();
    await world.advance(2_000);
    expect(world.fetched).toHaveLength(1);
  });

  test("[C17] an address with a path is the document itself", async () => {
    const urls: string[] = [];
    const answer = { ok: true, status: 200, json: async () => config() };
    await loadConfig("https://cdn.test/chat.json", async (url) => {
      urls.push(url);
      return {
        ...answer,
        json: async () => ({ ...config(), websocket: { ...config().websocket, url: "wss://a.test/ws" } }),
      };
    });
    expect(urls).toEqual(["https://cdn.test/chat.json"]);
  });

  test("[C17] what a development server says about tokens is found relative to it", () => {
    const auth = { ...config().auth, dev_token_url: "/v1/dev/token" };
    expect(read({ auth })().dev_token_url).toBe("http://server.test/v1/dev/token");
    expect(read({})()).not.toHaveProperty("dev_token_url");
  });

  test.each([
    ["protocol.name", { protocol: { name: "other.v1", version: 1 } }],
    ["protocol.version", { protocol: { name: "throughline.v1", version: 2 } }],
    ["websocket.subprotocols", { websocket: { url: "ws://server.test/", subprotocols: [] } }],
    ["websocket.url", { websocket: { url: "http://server.test/", subprotocols: ["throughline.v1"] } }],
    ["websocket.url", { websocket: { url: "/v1/ws", subprotocols: ["throughline.v1"] } }],
    ["websocket.url", { websocket: { url: "ws://u:p@server.test/", subprotocols: ["throughline.v1"] } }],
    ["websocket.url", { websocket: { url: "ws://server.test/#a", subprotocols: ["throughline.v1"] } }],
    ["websocket.url", { websocket: { url: 7, subprotocols: ["throughline.v1"] } }],
    ["auth.methods", { auth: { methods: ["header"], subprotocol_prefixes: ["jwt."] } }],
    ["auth.subprotocol_prefixes", { auth: { methods: ["subprotocol"], subprotocol_prefixes: ["x."] } }],
    ["auth.methods", { auth: null }],
    ["auth.dev_token_url", { auth: { ...config().auth, dev_token_url: "http://" } }],
    ["auth.dev_token_url", { auth: { ...config().auth, dev_token_url: true } }],
  ])("[C17] a document with an unusable %s is refused, by name", (field, change) => {
    expect(read(change)).toThrowError(expect.objectContaining({ code: "discovery_invalid", field }));
  });

  test.each([[null], ["text"], [[]], [7]])("[C17] %j is no document", (document) => {
    expect(() => readConfig(document, FROM)).toThrowError(
      expect.objectContaining({ code: "discovery_invalid" }),
    );
  });

  test("[C17] a document that came over TLS cannot lead to a plain socket", () => {
    const secure = new URL("https://server.test/v1/config");
    expect(read({}, secure)).toThrowError(expect.objectContaining({ field: "websocket.url" }));
    const websocket = { ...config().websocket, url: "wss://server.test/v1/ws" };
    expect(read({ websocket }, secure)().websocket_url.protocol).toBe("wss:");
  });

  test.each(["nowhere", "ftp://server.test", ""])("[C17] %j is no address of a server", async (url) => {
    await expect(loadConfig(url)).rejects.toMatchObject({ code: "discovery_invalid", field: "url" });
  });

  test("[C17] an invalid document stops the client", async () => {
    const world = new World();
    world.answer = async () => ({ ok: true, status: 200, json: async () => ({}) });
    const { client, errors } = await started(undefined, world);
    expect(client.state).toEqual({ status: "stopped", reason: "discovery_invalid" });
    expect(errors).toEqual(["discovery_invalid"]);
  });

  test.each([
    ["cannot be reached", () => Promise.reject(new TypeError("fetch failed"))],
    [
      "breaks the platform's fetch",
      () => {
        throw new Error("not a promise");
      },
    ],
    ["is not ready", async () => ({ ok: false, status: 503, json: async () => ({}) })],
    [
      "breaks off",
      async () => ({ ok: true, status: 200, json: () => Promise.reject(new TypeError("terminated")) }),
    ],
    ["is asked too often", async () => ({ ok: false, status: 429, json: async () => ({}) })],
  ])("[C17] a server that %s is asked again", async (_, answer) => {
    const world = new World();
    const working = world.answer;
    world.answer = answer;
    const { client, errors } = await started(undefined, world);
    expect(client.state).toMatchObject({ status: "waiting", reason: "discovery_failed" });
    expect(errors).toEqual(["discovery_failed"]);
    world.answer = working;
    await world.advance(1_000);
    expect(world.sockets).toHaveLength(1);
  });

  test.each([
    ["has no such document", async () => ({ ok: false, status: 404, json: async () => ({}) })],
    [
      "answers something else",
      async () => ({ ok: true, status: 200, json: () => Promise.reject(new SyntaxError()) }),
    ],
  ])("[C17] a server that %s stops the client", async (_, answer) => {
    const world = new World();
    world.answer = answer;
    const { client } = await started(undefined, world);
    expect(client.state).toMatchObject({ status: "stopped", reason: "discovery_failed" });
  });
});
