/** Requests as nobody should send them: to every route, with everything wrong that HTTP lets through, and then some. */
import { ODD_TEXTS, oddValue, randomBytes, spoiltText } from "./garbage.ts";
import type { Chance } from "./seed.ts";

export interface Targets {
  readonly host: string;
  /** Good ones, of people with all kinds of permissions. */
  readonly tokens: readonly string[];
  readonly user_ids: readonly string[];
}

export interface Attempt {
  readonly kind: "request" | "upgrade" | "raw bytes";
  readonly bytes: Buffer;
  /** It may never be answered unless its sender says that nothing more will come. */
  readonly end: boolean;
}

const METHODS = ["GET", "GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"];
const TYPES = [
  "application/json",
  "application/json",
  "text/plain",
  "application/x-www-form-urlencoded",
  "APPLICATION/JSON; charset=x",
  "",
];
const QUERY = ["client_id", "n", "epoch", "since", "limit", "before", "ticket", "token", "__proto__"];
const GRANT = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
const TOKEN_TYPE = "subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";

export function attempt(luck: Chance, targets: Targets): Attempt {
  const chosen = luck.between(0, 1);
  if (chosen < 0.35) return { kind: "upgrade", bytes: upgrade(luck, targets), end: false };
  if (chosen < 0.85) return { kind: "request", bytes: request(luck, targets), end: false };
  return { kind: "raw bytes", bytes: raw(luck, targets), end: true };
}

function maybe(luck: Chance, share: number): boolean {
  return luck.between(0, 1) < share;
}

function path(luck: Chance, { user_ids }: Targets): string {
  const user = maybe(luck, 0.6) ? luck.pick(user_ids) : escaped(luck.pick(ODD_TEXTS));
  const any = escaped(luck.pick(["main", ...ODD_TEXTS]));
  const known = luck.pick([
    "/health",
    "/v1/config",
    "/v1/threads",
    `/v1/threads/${any}/messages`,
    "/v1/threads/main/messages",
    "/v1/events",
    `/v1/users/${user}/events`,
    `/v1/users/${user}/runs`,
    `/v1/users/${user}/runs/${any}/events`,
    "/v1/users/events",
    `/v1/users/${user}/invalidate`,
    `/v1/users/${user}/sign-out`,
    "/v1/auth/sign-out",
    "/v1/auth/ticket",
    "/v1/auth/token",
    "/v1/dev/token",
    "/v1/ws",
    "/ws",
    "/",
    `/${any}`,
    `/v1/${any}`,
  ]);
  if (maybe(luck, 0.7)) return known;
  return luck.pick([
    `/${known}`,
    `${known}/`,
    `${known}//x`,
    `/.${known}`,
    known.toUpperCase(),
    `${known}%`,
    `${known}%00`,
    `${known}%ff`,
    `${known};a=b`,
    `${known}%2f..%2f`,
    escaped(spoiltText(luck, known)) || "/",
  ]);
}

/** Everything but what would end the request line. */
function escaped(text: string): string {
  return maybeEncoded(text).slice(0, 3_000);
}

function maybeEncoded(text: string): string {
  return [...text.toWellFormed()]
    .map((one) => (/[\w\-./~%:@!$&'()*+,;=]/.test(one) ? one : encodeURIComponent(one)))
    .join("");
}

function query(luck: Chance): string {
  if (maybe(luck, 0.4)) return "";
  const pairs = Array.from({ length: luck.whole(0, 5) }, () => {
    const value = luck.pick(["0", "1", "-1", "1e3", "9007199254740993", "x".repeat(300), ...ODD_TEXTS]);
    return `${escaped(luck.pick([...QUERY, ...ODD_TEXTS]))}${luck.pick(["=", "=", "=", "", "=="])}${escaped(value)}`;
  });
  return `?${pairs.join(luck.pick(["&", "&", "&&", ";", "?"]))}${luck.pick(["", "", "%", "#x"])}`;
}

/** Header values are bytes; what would end a header is for raw requests. */
function headerSafe(text: string): string {
  return Buffer.from(text)
    .toString("latin1")
    .replaceAll(/[\r\n\0]/g, " ");
}

function credential(luck: Chance, { tokens }: Targets): string {
  const token = maybe(luck, 0.6) ? luck.pick(tokens) : spoiltText(luck, luck.pick(tokens));
  return headerSafe(
    luck.pick([
      token,
      token,
      token,
      token,
      `${token}${"x".repeat(9_000)}`,
      luck.pick(ODD_TEXTS),
      "eyJhbGciOiJub25lIn0.e30.",
    ]),
  );
}

function origin(luck: Chance): string[] {
  if (maybe(luck, 0.8)) return [];
  return [
    `Origin: ${headerSafe(luck.pick(["null", "https://evil.example", "http://127.0.0.1", ...ODD_TEXTS]))}`,
  ];
}

function oddHeaders(luck: Chance): string[] {
  if (maybe(luck, 0.7)) return [];
  return Array.from({ length: luck.pick([1, 2, 40]) }, (_, index) => {
    const name = luck.pick([
      `X-${index}`,
      "Cookie",
      "CF-Connecting-IP",
      "X-Forwarded-For",
      "Forwarded",
      "Accept-Encoding",
      "Range",
      "If-None-Match",
      "Expect",
      "Idempotency-Key",
      "Access-Control-Request-Method",
      "X-Throughline-Handshake",
      "CF-Ray",
      "MF-Custom",
    ]);
    return `${name}: ${headerSafe(luck.pick(["::1", "1.2.3.4", "::ffff:1.2.3.4", "zz:::1", "bytes=0-", ...ODD_TEXTS]))}`;
  }).filter((header) => !header.startsWith("Expect: 1"));
}

function body(luck: Chance, { tokens }: Targets): string {
  const wanted = { events: [{ topic: "t", data: oddValue(luck), ttl_s: oddValue(luck) }] };
  return luck.pick([
    "",
    "{",
    "null",
    "[]",
    JSON.stringify({ events: [{ topic: "t", data: luck.pick(ODD_TEXTS) }] }),
    JSON.stringify(wanted),
    JSON.stringify({ events: oddValue(luck) }),
    JSON.stringify({ executor: luck.pick(["feed", "agent"]), agent_name: "x", content: oddValue(luck) }),
    JSON.stringify({
      events: [{ type: "agent_completed", run_seq: oddValue(luck), payload: oddValue(luck) }],
    }),
    JSON.stringify({ user_ids: [luck.pick(ODD_TEXTS)], events: [{ topic: "t", data: 1 }] }),
    `{"events":[{"topic":"t","data":{"__proto__":1}}]}`,
    `{"events":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
    JSON.stringify({ sub: luck.pick(ODD_TEXTS), permissions: ["admin"] }),
    `${GRANT}&${TOKEN_TYPE}&subject_token=${escaped(spoiltText(luck, luck.pick(tokens)))}`,
    `${GRANT}&${GRANT}`,
    `a=${"%".repeat(50)}`,
    spoiltText(luck, JSON.stringify(wanted)),
    maybe(luck, 0.05) ? "z".repeat(1_048_577) : "z",
  ]);
}

function request(luck: Chance, targets: Targets): Buffer {
  const method = luck.pick(METHODS);
  const content = method === "GET" || method === "HEAD" ? Buffer.alloc(0) : Buffer.from(body(luck, targets));
  const head = [
    `${method} ${path(luck, targets)}${query(luck)} HTTP/1.1`,
    `Host: ${targets.host}`,
    "Connection: close",
    ...(maybe(luck, 0.8)
      ? [
          `Authorization: ${luck.pick(["Bearer", "Bearer", "bearer", "Basic", ""])} ${credential(luck, targets)}`,
        ]
      : []),
    ...(method === "GET" || method === "HEAD"
      ? []
      : [`Content-Type: ${luck.pick(TYPES)}`, `Content-Length: ${content.length}`]),
    ...origin(luck),
    ...oddHeaders(luck),
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), content]);
}

function upgrade(luck: Chance, targets: Targets): Buffer {
  const token = credential(luck, targets).replaceAll(/[,\s]/g, "");
  const offers = luck.pick([
    ["throughline.v1", `jwt.${token}`],
    ["throughline.v1", `bearer.${token}`],
    [`jwt.${token}`],
    ["throughline.v2"],
    ["throughline.v1"],
    ["throughline.v1", "throughline.v1", "", "jwt."],
    [],
  ]);
  const good = maybe(luck, 0.85);
  const head = [
    `${good ? "GET" : luck.pick(METHODS)} ${maybe(luck, 0.9) ? luck.pick(["/v1/ws", "/v1/ws", "/ws"]) : path(luck, targets)}${query(luck)} HTTP/1.1`,
    `Host: ${targets.host}`,
    `Connection: ${good ? "Upgrade" : luck.pick(["close", "upgrade, keep-alive", ""])}`,
    `Upgrade: ${good ? "websocket" : luck.pick(["WEBSOCKET", "h2c", "websocket, x", ""])}`,
    ...(good || maybe(luck, 0.5)
      ? ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
      : ["Sec-WebSocket-Key: x"]),
    `Sec-WebSocket-Version: ${good ? "13" : luck.pick(["8", "99", "x", ""])}`,
    ...(offers.length > 0 ? [`Sec-WebSocket-Protocol: ${offers.join(luck.pick([", ", ",", " , "]))}`] : []),
    ...(maybe(luck, 0.3) ? [`Authorization: Bearer ${credential(luck, targets)}`] : []),
    ...origin(luck),
    ...oddHeaders(luck),
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1");
}

function raw(luck: Chance, targets: Targets): Buffer {
  const good = maybe(luck, 0.5) ? request(luck, targets) : upgrade(luck, targets);
  const at = luck.whole(0, good.length + 1);
  const { host } = targets;
  switch (luck.whole(0, 10)) {
    case 0:
      return randomBytes(luck, luck.whole(0, 500));
    case 1:
      return good.subarray(0, at);
    case 2:
      return Buffer.concat([good.subarray(0, at), randomBytes(luck, luck.whole(1, 8)), good.subarray(at)]);
    case 3:
      return Buffer.concat([good.subarray(0, at), good.subarray(at + luck.whole(1, 20))]);
    case 4:
      return Buffer.from(
        `POST /v1/auth/ticket HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${luck.pick(["0", "zz", "ffffffffffffffff", "5\r\nhello\r\n0"])}\r\n\r\nGET /health HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      );
    case 5:
      return Buffer.from(
        `GET /health HTTP/1.1\r\nHost: ${host}\r\nX: ${"a".repeat(luck.pick([8_000, 20_000, 100_000]))}\r\n\r\n`,
      );
    case 6:
      return Buffer.from(
        `GET ${luck.pick(["http://evil.example/v1/config", "*", "//", "http://[", "/\u0000", "/ HTTP/1.1 x", "evil:80"])} HTTP/1.1\r\nHost: ${luck.pick([host, "", "a b", "[", "x".repeat(300), "127.0.0.1:99999", "evil.example"])}\r\n\r\n`,
      );
    case 7:
      return Buffer.from(
        `${luck.pick(["CONNECT", "TRACE", "PROPFIND", "get", "GE T", "\u0000"])} /v1/config HTTP/${luck.pick(["1.1", "1.0", "0.9", "2.0", "9"])}\r\nHost: ${host}\r\n\r\n`,
      );
    case 8:
      return Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...randomBytes(luck, 64)]);
    default:
      return Buffer.from(
        `GET /health HTTP/1.1\r\nHost: ${host}\r\n${luck.pick(["Bad Header", ": x", "A\u0000: b", " folded: x", "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 1\r\nContent-Length: 2"])}\r\n\r\n`,
      );
  }
}
