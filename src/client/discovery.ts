/** Where the server is: loads `GET /v1/config`, checks what is needed of it, and builds the socket's URL. */
import { PROTOCOL_VERSION, SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIXES } from "../protocol/pure/constants.ts";
import { field } from "../protocol/pure/json.ts";
import { environment, type FetchedDocument } from "./environment.ts";
import { ClientError, isSyntaxError } from "./errors.ts";
import type { Cursor } from "./view.ts";

const CONFIG_PATH = "/v1/config";

/** What a client needs of the discovery document. */
export interface ServerConfig {
  readonly websocket_url: URL;
  /** Put before the token to make its subprotocol. */
  readonly token_prefix: string;
  /** Only in development: answers `POST {sub}` with `{token, user_id, expires_in_ms}`. */
  readonly dev_token_url?: string;
}

/**
 * Loads and checks the server's configuration; `connect` does this by itself.
 *
 *     const { dev_token_url } = await loadConfig(location.origin);
 *
 * Throws a `ClientError`: `discovery_failed` (retryable) or `discovery_invalid`, with the field.
 */
export async function loadConfig(
  url: string,
  fetch: (url: string) => Promise<FetchedDocument> = environment().fetch,
): Promise<ServerConfig> {
  const from = configUrl(url);
  return readConfig(await fetchJson(from, fetch), from);
}

/** Everything a connection says about itself goes into the query: browsers cannot set headers. */
export function socketUrl(config: ServerConfig, client_id: string, n: number, cursor?: Cursor): string {
  const url = new URL(config.websocket_url);
  url.searchParams.set("client_id", client_id);
  url.searchParams.set("n", String(n));
  if (cursor !== undefined) {
    url.searchParams.set("epoch", cursor.epoch);
    url.searchParams.set("since", String(cursor.seq));
  }
  return url.href;
}

function configUrl(url: string): URL {
  const given = parseUrl(url);
  if (!given || !/^https?:/.test(given.href)) throw invalid("url");
  return given.pathname === "/" ? new URL(CONFIG_PATH, given) : given;
}

async function fetchJson(url: URL, fetch: (url: string) => Promise<FetchedDocument>): Promise<unknown> {
  const response = await fetch(url.href).catch((cause: unknown) => {
    throw failed("cannot be reached", true, cause);
  });
  const { ok, status } = response;
  if (!ok) throw failed(`answered ${status}`, status >= 500 || status === 429);
  return response.json().catch((cause: unknown) => {
    // Unless it is no JSON: then the body broke off, or did not come in time.
    throw failed("cannot be read", !isSyntaxError(cause), cause);
  });
}

export function readConfig(document: unknown, from: URL): ServerConfig {
  /** What `read` makes of the field at `path`, by which an unusable one is named. */
  const at = <Value>(path: string, read: (value: unknown) => Value | false | undefined): Value => {
    const value = read(field(document, ...path.split(".")));
    if (!value) throw invalid(path);
    return value;
  };
  at("protocol.name", (name) => name === SUBPROTOCOL);
  at("protocol.version", (version) => version === PROTOCOL_VERSION);
  at("websocket.subprotocols", (offered) => includes(offered, SUBPROTOCOL));
  at("auth.methods", (offered) => includes(offered, "subprotocol"));
  return {
    websocket_url: at("websocket.url", (value) => websocketUrl(value, from)),
    token_prefix: at("auth.subprotocol_prefixes", tokenPrefix),
    ...at("auth.dev_token_url", (value) => devTokenUrl(value, from)),
  };
}

/** A document that came over TLS must not send the token over a plain socket. */
function websocketUrl(value: unknown, from: URL): URL | false | undefined {
  const url = parseUrl(value);
  const scheme = from.protocol === "https:" ? /^wss:/ : /^wss?:/;
  return url && scheme.test(url.href) && url.username === "" && url.hash === "" && url;
}

function devTokenUrl(value: unknown, from: URL): Pick<ServerConfig, "dev_token_url"> | undefined {
  if (value === undefined) return {};
  const url = parseUrl(value, from);
  return url && { dev_token_url: url.href };
}

function tokenPrefix(offered: unknown): string | undefined {
  return TOKEN_SUBPROTOCOL_PREFIXES.find((prefix) => includes(offered, prefix));
}

function includes(list: unknown, wanted: string): boolean {
  return Array.isArray(list) && list.includes(wanted);
}

/** `URL.parse` does the same, but not yet in every browser in use. */
function parseUrl(text: unknown, base?: URL): URL | undefined {
  try {
    return typeof text === "string" ? new URL(text, base) : undefined;
  } catch {
    return undefined;
  }
}

function failed(what: string, retryable: boolean, cause?: unknown): ClientError {
  return new ClientError("discovery_failed", `the server's configuration ${what}`, { retryable, cause });
}

function invalid(what: string): ClientError {
  return new ClientError("discovery_invalid", `the server's configuration: ${what} is unusable`, {
    field: what,
  });
}
