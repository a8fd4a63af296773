/** Upgrades over TCP: the bare HTTP of one, and what a client that listens is told until it is closed. */
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { WebSocket } from "ws";

export interface Knock {
  readonly path?: string;
  /** Offered subprotocols. */
  readonly offers?: readonly string[];
  /** Goes into the header. */
  readonly token?: string;
  readonly origin?: string;
}

export interface HttpKnock extends Knock {
  readonly method?: string;
  /** In place of those of an upgrade. */
  readonly upgrade?: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Parsed; undefined if it is no JSON. */
  readonly body: any;
}

/** The example of RFC 6455 §1.3. */
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

export const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": KEY,
} as const;

/** The answer to an upgrade; a socket it may have become is dropped. */
export async function knock(
  url: string,
  { method = "GET", upgrade = UPGRADE, ...rest }: HttpKnock,
): Promise<HttpAnswer> {
  const { path = "/v1/ws", offers = [] } = rest;
  const headers = {
    ...upgrade,
    ...headersOf(rest),
    ...(offers.length > 0 && { "Sec-WebSocket-Protocol": offers.join(", ") }),
  };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(new URL(path, url), { method, headers, agent: false });
    asked.once("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response);
    });
    asked.once("response", resolve).once("error", reject).end();
  });
  const body = answer.statusCode === 101 ? "" : await text(answer);
  return { status: answer.statusCode, headers: answer.headers, body: parsed(body) };
}

export interface Told {
  /** The subprotocol the server chose; empty if none. */
  readonly protocol: string;
  readonly frames: readonly any[];
  readonly code: number;
  readonly reason: string;
}

/** What a client is told until it is closed; one that is let in leaves after its greeting. */
export function listen(url: string, { path = "/v1/ws", offers = [], ...rest }: Knock): Promise<Told> {
  const frames: any[] = [];
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(new URL(path, url.replace(/^http/, "ws")), offers, {
      headers: headersOf(rest),
    });
    socket.on("error", reject);
    socket.on("message", (data) => {
      frames.push(JSON.parse(String(data)));
      if (frames[0].type === "connection_established") socket.close(1000);
    });
    socket.on("close", (code, reason) => {
      resolve({ protocol: socket.protocol, frames, code, reason: String(reason) });
    });
  });
}

function headersOf({ token, origin }: Knock): Record<string, string> {
  return {
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(origin !== undefined && { Origin: origin }),
  };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
