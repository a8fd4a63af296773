/** HTTP and WebSocket by the byte: for what no client library would send. */
import { connect, type Socket } from "node:net";

export interface Answer {
  /** 0 if nothing came that begins like an answer. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** RFC 6455 §5.2 */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** No close frame came (RFC 6455 §7.1.5). */
const ABNORMAL = 1_006;

const HEAD_END = "\r\n\r\n";

/** A frame of a client. Its mask is zero, which leaves the payload readable and is a mask like any other. */
export function wsFrame(payload: Buffer | string, opcode: number = OPCODE.text, first = 0x80): Buffer {
  const bytes = Buffer.from(payload);
  const long = bytes.length > 0xffff;
  const head = Buffer.alloc(bytes.length < 126 ? 2 : long ? 10 : 4);
  head[0] = first | opcode;
  head[1] = 0x80 | (bytes.length < 126 ? bytes.length : long ? 127 : 126);
  if (head.length === 4) head.writeUInt16BE(bytes.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(bytes.length), 2);
  return Buffer.concat([head, Buffer.alloc(4), bytes]);
}

/** One TCP connection, and what comes back over it. */
export class Wire {
  /** Text messages, as they came. */
  readonly texts: string[] = [];
  /** The close code, once the connection is over. */
  closed: number | undefined;
  onText: (text: string) => void = () => {};
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];
  #upgraded = false;
  #code: number | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk) => this.#arrived(chunk));
    this.#socket.on("error", () => {});
    this.#socket.on("end", () => this.#socket.end());
    this.#socket.on("close", () => {
      this.closed = this.#code ?? ABNORMAL;
      this.#wake();
    });
  }

  /** What cannot be sent any more is lost, as on any network. */
  write(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  send(frame: unknown): void {
    this.write(wsFrame(JSON.stringify(frame)));
  }

  /** Nothing more will be sent. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The answer to a request. After 101 the connection speaks WebSocket. */
  async answer(): Promise<Answer> {
    await this.until(() => this.#answer() !== undefined);
    const answer = this.#answer() ?? this.#broken();
    if (answer.status !== 101) return answer;
    this.#upgraded = true;
    this.#buffer = this.#buffer.subarray(answer.head.length + HEAD_END.length);
    this.#readFrames();
    return answer;
  }

  /** Resolves as soon as it `holds`, or with the end of the connection. */
  async until(holds: () => boolean): Promise<void> {
    while (this.closed === undefined && !holds()) await this.#changed.promise;
  }

  #arrived(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    if (this.#upgraded) this.#readFrames();
    this.#wake();
  }

  #answer(): Answer | undefined {
    const text = this.#buffer.toString("latin1");
    const end = text.indexOf(HEAD_END);
    if (end < 0) return undefined;
    const head = text.slice(0, end);
    const status = statusIn(head);
    const body = text.slice(end + HEAD_END.length);
    return isWhole(status, head, body) ? { status, head, body } : undefined;
  }

  /** What there is of an answer whose connection ended before it did, or that was to a HEAD. */
  #broken(): Answer {
    const text = this.#buffer.toString("latin1");
    const [head = "", ...body] = text.split(HEAD_END);
    return { status: statusIn(head), head, body: body.join(HEAD_END) };
  }

  #readFrames(): void {
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) this.#handle(frame);
    this.#wake();
  }

  #handle({ first, payload }: { first: number; payload: Buffer }): void {
    const opcode = first & 0x0f;
    if (opcode === OPCODE.close) return this.#closing(payload);
    if (opcode === OPCODE.ping) return this.write(wsFrame(payload, OPCODE.pong));
    if (opcode === OPCODE.pong) return;
    this.#parts.push(payload);
    if ((first & 0x80) === 0) return;
    const text = Buffer.concat(this.#parts.splice(0)).toString();
    this.texts.push(text);
    this.onText(text);
  }

  #closing(payload: Buffer): void {
    this.#code = payload.length < 2 ? 1_005 : payload.readUInt16BE(0);
    this.write(wsFrame(payload, OPCODE.close));
    this.#socket.destroy();
  }

  #take(): { first: number; payload: Buffer } | undefined {
    const buffer = this.#buffer;
    const [first, second] = buffer;
    if (first === undefined || second === undefined) return undefined;
    const short = second & 0x7f;
    const from = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (buffer.length < from) return undefined;
    const length =
      short < 126 ? short : short === 126 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
    if (buffer.length < from + length) return undefined;
    this.#buffer = buffer.subarray(from + length);
    return { first, payload: buffer.subarray(from, from + length) };
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function statusIn(head: string): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
}

function isWhole(status: number, head: string, body: string): boolean {
  if (status === 101 || status === 204 || status === 304) return true;
  if (/^transfer-encoding: *chunked/im.test(head)) return body.endsWith(`0${HEAD_END}`);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  return length !== undefined && body.length >= Number(length);
}
