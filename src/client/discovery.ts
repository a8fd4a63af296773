/** Where the server is: loads `GET /v1/config`, checks what is needed of it, and builds the socket's URL. */
import { PROTOCOL_VERSION, SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIXES } from "../protocol/pure/constants.ts";
import { field, isRecord } from "../protocol/pure/json.ts";
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
  if (given === undefined || !/^https?:$/.test(given.protocol)) throw invalid("url");
  return given.pathname === "/" ? new URL(CONFIG_PATH, given) : given;
}

async function fetchJson(url: URL, fetch: (url: string) => Promise<FetchedDocument>): Promise<unknown> {
  const response = await fetch(url.href).catch((cause: unknown) => {
    throw failed("cannot be reached", true, cause);
  });
  const passing = response.status >= 500 || response.status === 429;
  if (!response.ok) throw failed(`answered ${response.status}`, passing);
  return response.json().catch((cause: unknown) => {
    if (isSyntaxError(cause)) throw failed("is not JSON", false, cause);
    // The body broke off, or did not come in time.
    throw failed("could not be read", true, cause);
  });
}

export function readConfig(document: unknown, from: URL): ServerConfig {
  if (!isRecord(document)) throw invalid("the document");
  if (field(document, "protocol", "name") !== SUBPROTOCOL) throw invalid("protocol.name");
  if (field(document, "protocol", "version") !== PROTOCOL_VERSION) throw invalid("protocol.version");
  if (!listed(document, "websocket", "subprotocols").includes(SUBPROTOCOL))
    throw invalid("websocket.subprotocols");
  if (!listed(document, "auth", "methods").includes("subprotocol")) throw invalid("auth.methods");
  return {
    websocket_url: websocketUrl(field(document, "websocket", "url"), from),
    token_prefix: tokenPrefix(listed(document, "auth", "subprotocol_prefixes")),
    ...devTokenUrl(field(document, "auth", "dev_token_url"), from),
  };
}

/** A document that came over TLS must not send the token over a plain socket. */
function websocketUrl(value: unknown, from: URL): URL {
  const url = typeof value === "string" ? parseUrl(value) : undefined;
  const secure = from.protocol === "https:";
  const fits = url?.protocol === "wss:" || (url?.protocol === "ws:" && !secure);
  if (url === undefined || !fits || url.username !== "" || url.hash !== "") throw invalid("websocket.url");
  return url;
}

function devTokenUrl(value: unknown, from: URL): Pick<ServerConfig, "dev_token_url"> {
  if (value === undefined) return {};
  const url = typeof value === "string" ? parseUrl(value, from) : undefined;
  if (url === undefined) throw invalid("auth.dev_token_url");
  return { dev_token_url: url.href };
}

function tokenPrefix(offered: readonly unknown[]): string {
  const known = TOKEN_SUBPROTOCOL_PREFIXES.find((prefix) => offered.includes(prefix));
  if (known === undefined) throw invalid("auth.subprotocol_prefixes");
  return known;
}

function listed(document: unknown, ...path: string[]): readonly unknown[] {
  const value = field(document, ...path);
  return Array.isArray(value) ? value : [];
}

/** `URL.parse` does the same, but not yet in every browser in use. */
function parseUrl(text: string, base?: URL): URL | undefined {
  try {
    return new URL(text, base);
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
