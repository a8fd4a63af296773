/** Frames as nobody should send them: valid ones of every type, spoilt in every way that comes to mind. */
import { isRecord } from "../../../src/protocol/pure/json.ts";
import type { Chance } from "./seed.ts";
import { OPCODE, wsFrame } from "./wire.ts";

type Fields = Record<string, unknown>;

const MAX_FRAME_BYTES = 65_536;

const NAMES = ["type", "id", "payload", "content", "seq", "run_id", "thread_id", "toString", "length", ""];
const POISON = ["__proto__", "constructor", "prototype"];
const TYPES = ["user_message", "run_cancel", "ack", "ping", "pong", "resync", "auth_refresh"];

export const ODD_TEXTS: readonly string[] = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udc00\ud800",
  "\u202e\u2066",
  "\ufeff",
  "null",
  "__proto__",
  "'; DROP TABLE events; --",
  '" OR 1=1',
  "%s%n{{7*7}}",
  "../../etc/passwd",
  "<script>alert(1)</script>",
  "\r\nSet-Cookie: a=b",
  "🦊".repeat(20),
  "é".normalize("NFD"),
  "9".repeat(400),
  "x".repeat(64),
  "x".repeat(65),
  "x".repeat(5_000),
];

const ODD_NUMBERS = [0, -0, -1, 0.5, 1e21, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 5e-324];

/** One of anything. */
export function oddValue(luck: Chance): unknown {
  switch (luck.whole(0, 9)) {
    case 0:
      return null;
    case 1:
      return luck.pick([true, false]);
    case 2:
    case 3:
      return luck.pick(ODD_NUMBERS);
    case 4:
      return luck.pick([[], {}, [[]], [null], { a: 1 }, { length: 3 }]);
    case 5:
      return nested(luck, luck.pick([1, 5, 30, 31, 32, 33, 1_000, 20_000]));
    case 6:
      return Object.fromEntries([[luck.pick([...POISON, ...NAMES]), luck.pick(ODD_TEXTS)]]);
    default:
      return luck.pick(ODD_TEXTS);
  }
}

/** Written out, since what is this deep cannot be written by a recursion. */
class Verbatim {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toJSON(): string {
    return `\u0001${this.text}\u0001`;
  }
}

function nested(luck: Chance, depth: number): unknown {
  const [open, close] = luck.pick([
    ["[", "]"],
    ['{"a":', "}"],
  ] as const);
  const text = `${open.repeat(depth)}1${close.repeat(depth)}`;
  return new Verbatim(text.length < 60_000 ? text : "[".repeat(20_000) + "]".repeat(20_000));
}

function written(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.replaceAll(/"\\u0001(.*?)\\u0001"/g, (_, verbatim: string) => verbatim.replaceAll('\\"', '"'));
}

/** What the sender has learnt: real ids are worth more than made-up ones. */
export interface Knowledge {
  readonly ids: string[];
  readonly tokens: readonly string[];
  next(): string;
}

function validFrame(luck: Chance, known: Knowledge): Fields {
  const type = luck.pick(["user_message", "user_message", ...TYPES]);
  const id = known.next();
  const any = () => luck.pick(["main", ...known.ids.slice(-20)]);
  switch (type) {
    case "user_message":
      return { type, id, payload: message(luck, any) };
    case "run_cancel":
      return { type, id, payload: { run_id: any() } };
    case "ack":
      return { type, payload: { seq: luck.pick([0, 1, luck.whole(0, 200), luck.whole(0, 2 ** 40)]) } };
    case "auth_refresh":
      return { type, id, payload: { token: spoiltText(luck, luck.pick(known.tokens)) } };
    case "resync":
      return { type, id, payload: {} };
    default:
      return { type, ...(luck.between(0, 1) < 0.5 ? { id } : {}), payload: {} };
  }
}

function message(luck: Chance, any: () => string): Fields {
  const text = luck.pick(["hello", "what does it cost?", ...ODD_TEXTS]);
  const long = luck.between(0, 1) < 0.01 ? "y".repeat(luck.pick([1_000, 32_767, 32_768, 32_769])) : "";
  const respond = luck.between(0, 1) < 0.002;
  return {
    content: text + long,
    respond,
    ...(luck.between(0, 1) < 0.2 && { thread_id: luck.between(0, 1) < 0.3 ? uuid(luck) : any() }),
    ...(luck.between(0, 1) < 0.2 && { parent_message_id: any() }),
    ...(luck.between(0, 1) < 0.2 && { data: { value: oddValue(luck) } }),
    ...(luck.between(0, 1) < 0.2 && { metadata: { value: oddValue(luck) } }),
  };
}

function uuid(luck: Chance): string {
  const hex = (digits: number) =>
    luck
      .whole(0, 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(8)}${hex(4)}`;
}

/** A field of its own, whatever it is called. */
function put(object: Fields, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A change to an object: of the frame, or of its payload. */
function spoil(luck: Chance, frame: Fields): void {
  const payload = frame.payload;
  const inside = isRecord(payload) && !(payload instanceof Verbatim) && luck.between(0, 1) < 0.6;
  const object = (inside ? payload : frame) as Fields;
  const name = luck.pick([...Object.keys(object), luck.pick(NAMES)]);
  switch (luck.whole(0, 6)) {
    case 0:
      delete object[name];
      return;
    case 1:
    case 2:
      put(object, name, oddValue(luck));
      return;
    case 3:
      put(object, luck.pick(ODD_TEXTS), oddValue(luck));
      return;
    case 4:
      put(object, luck.pick(POISON), oddValue(luck));
      return;
    case 5:
      object.type = luck.pick([
        ...TYPES,
        "message_ack",
        "publish",
        "connection_established",
        "PING",
        "toString",
      ]);
  }
}

/** A change to a text that need not leave it JSON. */
export function spoiltText(luck: Chance, text: string): string {
  const at = luck.whole(0, text.length + 1);
  switch (luck.whole(0, 9)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(at);
    case 2:
      return text.slice(0, at) + luck.pick(ODD_TEXTS) + text.slice(at);
    case 3:
      return text.slice(0, at) + String.fromCharCode(luck.whole(0, 0x10000)) + text.slice(at + 1);
    case 4:
      return text + text;
    case 5:
      return luck.pick(["\ufeff", " ", "\n", "//", "["]) + text;
    default:
      return text;
  }
}

/** Changes that only a text can have: the same name twice, numbers no program can hold, more than fits. */
function spoiltJson(luck: Chance, json: string): string {
  switch (luck.whole(0, 8)) {
    case 0:
      return json.replace("{", '{"type":"ping","payload":7,"id":"twice",');
    case 1:
      return json.replace(/:\d+/, () =>
        luck.pick([":1e309", ":-1e309", `:${"9".repeat(400)}`, ":-", ":NaN", ":01", ":0x1"]),
      );
    case 2:
      return json.replace(
        '"payload":{',
        `"payload":{"extra":${luck.pick(["1e309", "-0", '"\\ud800"', "[[[[]]]]"])},`,
      );
    case 3:
      return luck.between(0, 1) < 0.1
        ? json + " ".repeat(MAX_FRAME_BYTES + 1 - Buffer.byteLength(json))
        : json;
    case 4:
      return luck.between(0, 1) < 0.05 ? json + " ".repeat(MAX_FRAME_BYTES * luck.pick([2, 16])) : json;
    default:
      return spoiltText(luck, json);
  }
}

/** One text of a frame: half are valid, the rest have been changed once or more. */
export function frameText(luck: Chance, known: Knowledge): string {
  const frame = validFrame(luck, known);
  const changes = luck.pick([0, 0, 0, 1, 1, 2]);
  for (let i = 0; i < changes; i += 1) spoil(luck, frame);
  const json = written(frame);
  return luck.between(0, 1) < 0.15 ? spoiltJson(luck, json) : json;
}

/** What a sender puts on the wire. */
export function frameBytes(luck: Chance, known: Knowledge): Buffer {
  const chosen = luck.between(0, 1);
  if (chosen < 0.02) return wsFrame(randomBytes(luck, luck.whole(0, 200)), OPCODE.binary);
  const text = frameText(luck, known);
  if (chosen < 0.04) return wsFrame(mangled(luck, Buffer.from(text)));
  if (chosen < 0.05) return inFragments(luck, Buffer.from(text));
  if (chosen < 0.06)
    return Buffer.concat([wsFrame(randomBytes(luck, luck.whole(0, 125)), luck.pick([9, 10])), wsFrame(text)]);
  return wsFrame(text);
}

/** What is no WebSocket any more (RFC 6455 §5); it may well end the connection it comes over. */
export function brokenBytes(luck: Chance): Buffer {
  const json = Buffer.from('{"type":"ping","payload":{}}');
  switch (luck.whole(0, 9)) {
    case 0:
      return wsFrame(json, luck.pick([3, 7, 11, 15]));
    case 1:
      return wsFrame(json, OPCODE.text, luck.pick([0xc0, 0xa0, 0x90, 0xf0]));
    case 2:
      return wsFrame(json, OPCODE.continuation);
    case 3:
      return Buffer.concat([wsFrame(json, OPCODE.text, 0), wsFrame(json, OPCODE.text, 0)]);
    case 4:
      return Buffer.concat([Buffer.from([0x81, json.length]), json]);
    case 5:
      return Buffer.from([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 65]);
    case 6:
      return wsFrame(
        closePayload(luck.pick([0, 999, 1_000, 1_005, 1_006, 1_015, 2_999, 3_000, 4_321, 5_000, 65_535])),
        OPCODE.close,
      );
    case 7:
      return wsFrame(Buffer.from([3]), OPCODE.close);
    default:
      return randomBytes(luck, luck.whole(1, 400));
  }
}

function closePayload(code: number): Buffer {
  return Buffer.from([code >> 8, code & 255, 0xff, 0xfe, 65]);
}

/** Bytes that are not UTF-8, somewhere in the middle. */
function mangled(luck: Chance, bytes: Buffer): Buffer {
  const at = luck.whole(0, bytes.length + 1);
  const bad = Buffer.from(
    luck.pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8, 0x88], [0xe2, 0x82], [0]]),
  );
  return Buffer.concat([bytes.subarray(0, at), bad, bytes.subarray(at)]);
}

function inFragments(luck: Chance, bytes: Buffer): Buffer {
  const at = luck.whole(0, bytes.length + 1);
  return Buffer.concat([
    wsFrame(bytes.subarray(0, at), OPCODE.text, 0),
    wsFrame("between", OPCODE.ping),
    wsFrame(Buffer.alloc(0), OPCODE.continuation, 0),
    wsFrame(bytes.subarray(at), OPCODE.continuation),
  ]);
}

export function randomBytes(luck: Chance, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => luck.whole(0, 256)));
}
