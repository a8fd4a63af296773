import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agents/agent.ts";
import { applyPatch } from "../../src/protocol/pure/json-patch.ts";
import suite from "../fixtures/json-patch-test-suite.json";
import { newUser, stubOf } from "../support/client.ts";
import { BEGIN, Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

const silent: Agent = {
  name: "silent",
  version: "1",
  // biome-ignore lint/correctness/useYield: it has nothing to say
  *run() {
    return { finish_reason: "stop" };
  },
};

const LONG_LIVED = { ...principalWith(["chat", "agents"]), exp: BEGIN / 1_000 + 1_000_000 };

async function atDesk(work: (desk: Desk, storage: DurableObjectStorage) => Promise<void>): Promise<void> {
  await runInDurableObject(await stubOf(newUser()), (_, { storage }) =>
    work(new Desk(storage, silent), storage),
  );
}

let ids = 0;

/** Sends an update, with all the time it needs, and returns its reply. */
async function update(
  desk: Desk,
  socket: RecordingSocket,
  base_version: number,
  patch: unknown,
  id?: string,
) {
  ids += 1;
  const used = id ?? `u${ids}`;
  const before = socket.sent.length;
  desk.advance(10_000);
  await desk.send(socket, { type: "state_update", id: used, payload: { base_version, patch } });
  return socket.sent.slice(before).find(({ reply_to }) => reply_to === used);
}

function set(value: unknown) {
  return [{ op: "replace", path: "", value }];
}

function state(desk: Desk): { version: number; shared: any } {
  const read = desk.session.requests.readState(LONG_LIVED);
  if (!read.ok) throw new Error(read.refusal.code);
  return read.value;
}

/** What a client comes to by what it was sent. */
function folded(socket: RecordingSocket): { version: number; document: unknown } {
  let mine = { version: 0, document: {} as unknown };
  for (const { type, payload } of socket.sent) {
    if (type === "state_snapshot") mine = { version: payload.version, document: payload.shared };
    if (type !== "state_patch") continue;
    if (payload.patch[0]?.path !== "" || payload.patch[0]?.op !== "replace") {
      expect(payload.base_version).toBe(mine.version);
    }
    const patched = applyPatch(mine.document, payload.patch);
    if (!patched.ok) throw new Error("a patch that was sent does not apply");
    mine = { version: payload.version, document: patched.document };
  }
  return mine;
}

describe("the official cases of RFC 6902", () => {
  test("[Y1] do over a socket what they say, and change nothing where they fail", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect({ principal: LONG_LIVED });
      const wrong: unknown[] = [];
      let version = 0;
      let played = 0;
      for (const { disabled, doc, patch, expected, error, comment } of suite.cases as any[]) {
        if (disabled || patch === undefined) continue;
        played += 1;
        version = (await update(desk, socket, version, set(doc))).payload.version;
        const reply = await update(desk, socket, version, patch);
        const fits = reply.type === (error === undefined ? "command_ack" : "error");
        if (reply.type === "command_ack") version = reply.payload.version;
        const becomes = error === undefined ? (expected ?? doc) : doc;
        const same = applyPatch(state(desk).shared, [{ op: "test", path: "", value: becomes }]).ok;
        if (!fits || !same || state(desk).version !== version) wrong.push({ comment, patch, reply, becomes });
        desk.advance(10_000);
      }
      expect(wrong).toEqual([]);
      expect(played).toBe(91);
      expect(folded(socket)).toEqual({ version, document: state(desk).shared });
    });
  });

  test("[Y1] every operation of a patch counts, or none", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      await update(desk, socket, 0, set({ a: 1 }));
      const reply = await update(desk, socket, 1, [
        { op: "add", path: "/b", value: 2 },
        { op: "remove", path: "/c" },
      ]);
      expect(reply.payload).toMatchObject({ code: "invalid_payload", field: "payload.patch.1.path" });
      expect(state(desk)).toEqual({ version: 1, shared: { a: 1 } });
    });
  });

  test("[Y1] an empty patch and unknown members do no harm", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      expect((await update(desk, socket, 0, [])).payload).toEqual({ version: 1, duplicate: false });
      await update(desk, socket, 1, [{ op: "add", path: "/a", value: null, from: "/x", hello: 1 }]);
      expect(state(desk)).toEqual({ version: 2, shared: { a: null } });
    });
  });
});

describe("an update", () => {
  test("[Y2] reaches every tab as one patch, the sender after its reply", async () => {
    await atDesk(async (desk) => {
      const [a, b] = [desk.connect(), desk.connect()];
      const patch = [{ op: "add", path: "/draft", value: "hello" }];
      await update(desk, a, 0, patch, "mine");
      const frame = { type: "state_patch", payload: { base_version: 0, version: 1, patch } };
      const ack = { type: "command_ack", reply_to: "mine", payload: { version: 1, duplicate: false } };
      expect(a.sent.slice(-2)).toEqual([ack, frame]);
      expect(b.sent.at(-1)).toEqual(frame);
    });
  });

  test("[Y2] that come together are one group, each made on the one before", async () => {
    await atDesk(async (desk) => {
      const [a, b] = [desk.connect(), desk.connect()];
      const command = (id: string, base_version: number, path: string) => ({
        type: "state_update",
        id,
        payload: { base_version, patch: [{ op: "add", path, value: id }] },
      });
      await Promise.all([
        desk.send(a, command("1", 0, "/one")),
        desk.send(b, command("2", 0, "/late")),
        desk.send(b, command("3", 1, "/two")),
        desk.send(a, command("4", 2, "/three")),
      ]);
      expect(state(desk)).toEqual({ version: 3, shared: { one: "1", two: "3", three: "4" } });
      expect(b.of("error")).toMatchObject([{ reply_to: "2", payload: { code: "conflict" } }]);
      expect(folded(a)).toEqual({ version: 3, document: state(desk).shared });
      expect(folded(b)).toEqual({ version: 3, document: state(desk).shared });
    });
  });

  test("[Y2] without `agents` is allowed, and events are not moved by it", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect({ principal: principalWith(["chat"]) });
      expect((await update(desk, socket, 0, set({ a: 1 }))).type).toBe("command_ack");
      expect(desk.connect().of("connection_established")[0].payload.head_seq).toBe(0);
    });
  });

  test("[Y3] of another version is a conflict that says what is", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      await update(desk, socket, 0, set({ a: 1 }));
      const details = { version: 1, document: { a: 1 } };
      for (const stale of [0, 2, 9_007_199_254_740_991]) {
        const { payload } = await update(desk, socket, stale, set({ b: 2 }));
        expect(payload).toMatchObject({ code: "conflict", field: "payload.base_version", details });
      }
      expect(state(desk)).toEqual({ version: 1, shared: { a: 1 } });
    });
  });

  test("[Y3] whose test fails is a conflict that names the operation; its id is free again", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      await update(desk, socket, 0, set({ a: { x: 1, y: 2 } }));
      const tests = (value: unknown, path = "/a") => [
        { op: "add", path: "/b", value: 1 },
        { op: "test", path, value },
      ];
      for (const patch of [tests({ x: 1 }), tests({ x: 1, y: "2" }), tests(null), tests(1, "/gone")]) {
        const { payload } = await update(desk, socket, 1, patch, "again");
        expect(payload).toMatchObject({ code: "conflict", field: "payload.patch.1", retryable: false });
        expect(payload.details).toEqual({ version: 1, document: { a: { x: 1, y: 2 } } });
      }
      expect((await update(desk, socket, 1, tests({ y: 2, x: 1 }), "again")).payload.version).toBe(2);
    });
  });

  test.each([
    ["without a base_version", { patch: [] }, "payload.base_version"],
    ["with a negative base_version", { base_version: -1, patch: [] }, "payload.base_version"],
    ["without a patch", { base_version: 0 }, "payload.patch"],
    ["with a patch that is no list", { base_version: 0, patch: {} }, "payload.patch"],
    ["with an operation that is none", { base_version: 0, patch: [null] }, "payload.patch.0"],
  ])("[Y4] %s is refused", async (_, payload, field) => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      await desk.send(socket, { type: "state_update", id: "x", payload });
      expect(socket.of("error")).toMatchObject([{ payload: { code: "invalid_payload", field } }]);
    });
  });
});

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
const at = (pointer: string) => ({ op: "add", path: pointer, value: 1 });
const P = "payload.patch";

const HOSTILE: readonly (readonly [string, unknown[], Record<string, unknown>])[] = [
  ["a prototype in a path", [at("/__proto__/x")], { field: `${P}.0.path` }],
  ["a constructor in a path", [at("/o/constructor/prototype/x")], { field: `${P}.0.path` }],
  ["a prototype in from", [{ op: "copy", from: "/prototype", path: "/x" }], { field: `${P}.0.from` }],
  ["an inherited property", [{ op: "copy", from: "/toString", path: "/x" }], { field: `${P}.0.from` }],
  ["an inherited property of a list", [{ op: "remove", path: "/list/length" }], { field: `${P}.0.path` }],
  ["the length of a list", [{ op: "replace", path: "/list/length", value: 0 }], { field: `${P}.0.path` }],
  ["the inside of a text", [{ op: "copy", from: "/text/0", path: "/x" }], { field: `${P}.0.from` }],
  ["a path of 33 names", [at("/a".repeat(33))], { field: `${P}.0.path`, limit: 32 }],
  ["a path without its slash", [at("x")], { field: `${P}.0.path`, limit: 32 }],
  ["a bad escape", [at("/~2")], { field: `${P}.0.path` }],
  ["an escape that ends", [at("/~")], { field: `${P}.0.path` }],
  ["a negative index", [at("/list/-1")], { field: `${P}.0.path` }],
  ["an index with a zero before it", [at("/list/01")], { field: `${P}.0.path` }],
  ["an index in another spelling", [at("/list/1e0")], { field: `${P}.0.path` }],
  ["an index that is a word", [at("/list/x")], { field: `${P}.0.path` }],
  ["an index past the end", [at("/list/4")], { field: `${P}.0.path` }],
  ["an index of many digits", [at(`/list/${"9".repeat(400)}`)], { field: `${P}.0.path` }],
  ["removing the end of a list", [{ op: "remove", path: "/list/-" }], { field: `${P}.0.path` }],
  ["replacing the end of a list", [{ op: "replace", path: "/list/-", value: 1 }], { field: `${P}.0.path` }],
  ["moving the end of a list", [{ op: "move", from: "/list/-", path: "/x" }], { field: `${P}.0.from` }],
  ["moving into itself", [{ op: "move", from: "/o", path: "/o/p/q" }], { field: `${P}.0.path` }],
  ["moving everything into itself", [{ op: "move", from: "", path: "/o" }], { field: `${P}.0.path` }],
  ["removing everything", [{ op: "remove", path: "" }], { field: `${P}.0.path` }],
  ["replacing what is not there", [{ op: "replace", path: "/no", value: 1 }], { field: `${P}.0.path` }],
  ["an unknown op", [{ op: "merge", path: "", value: {} }], { field: `${P}.0.op` }],
  ["an op that is inherited", [{ op: "toString", path: "" }], { field: `${P}.0.op` }],
  ["no op", [{ path: "/x", value: 1 }], { field: `${P}.0.op` }],
  ["no path", [{ op: "add", value: 1 }], { field: `${P}.0.path` }],
  ["a path that is a list", [{ op: "add", path: ["x"], value: 1 }], { field: `${P}.0.path` }],
  ["no value", [{ op: "add", path: "/x" }], { field: `${P}.0.value` }],
  ["no value to test", [{ op: "test", path: "/x" }], { field: `${P}.0.value` }],
  ["no from", [{ op: "move", path: "/x" }], { field: `${P}.0.from` }],
  ["257 operations", Array.from({ length: 257 }, () => at("/x")), { field: P, limit: 256 }],
  [
    "growing too deep",
    [{ op: "add", path: `/deep${"/a".repeat(20)}`, value: deep(12) }],
    { field: P, limit: 32 },
  ],
  ["a value that is too deep", [{ op: "add", path: "/x", value: deep(32) }], { field: "payload", limit: 32 }],
  [
    "copies of copies",
    Array.from({ length: 40 }, () => ({ op: "copy", from: "", path: "/x" })),
    { code: "too_large", limit: 65_536 },
  ],
  [
    "growing too large",
    [{ op: "add", path: "/x", value: "x".repeat(40_000) }],
    { code: "too_large", field: P, limit: 65_536 },
  ],
];

describe("a hostile patch", () => {
  test.each(HOSTILE)("[Y4] %s is refused and changes nothing", async (_, patch, expected) => {
    await atDesk(async (desk, storage) => {
      const [socket, other] = [desk.connect(), desk.connect()];
      const document = {
        o: { p: {} },
        list: [1, 2, 3],
        text: "abc",
        deep: deep(21),
        pad: "p".repeat(30_000),
      };
      await update(desk, socket, 0, set(document));
      const rows = () =>
        storage.sql.exec("SELECT (SELECT COUNT(*) FROM inbox) + (SELECT COUNT(*) FROM patches) AS n");
      const before = rows().one().n;
      // It comes last, so that what is before it would show.
      const harmless = patch.length > 200 ? [] : [at("/shown")];
      const named = new RegExp(`^${P.replace(".", "\\.")}\\.0`);
      const moved = {
        ...expected,
        field: String(expected.field ?? "").replace(named, `${P}.${harmless.length}`),
      };
      const { field, ...rest } = { code: "invalid_payload", ...moved };
      const { type, payload } = await update(desk, socket, 1, [...harmless, ...patch]);
      expect({ type, payload }).toMatchObject({ type: "error", payload: { ...rest, fatal: false } });
      if (field !== "") expect(payload.field).toBe(field);
      expect(state(desk)).toEqual({ version: 1, shared: document });
      expect(rows().one().n).toBe(before);
      expect(other.of("state_patch")).toHaveLength(1);
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect((await update(desk, socket, 1, [{ op: "remove", path: "/pad" }])).payload.version).toBe(2);
    });
  });

  test("[Y4] a prototype key in a value is refused before anything looks at it", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      const text = `{"type":"state_update","id":"x","payload":{"base_version":0,"patch":[{"op":"add","path":"/a","value":{"__proto__":{"x":1}}}]}}`;
      await desk.send(socket, text);
      expect(socket.of("error")).toMatchObject([
        { payload: { code: "invalid_payload", field: "payload.__proto__" } },
      ]);
      expect(state(desk).version).toBe(0);
    });
  });

  test("[Y5] what is exactly at the limits is taken", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      const room = 64 * 1024 - JSON.stringify({ a: "", b: "" }).length;
      const half = Math.floor(room / 2);
      await update(desk, socket, 0, set({ a: "x".repeat(half) }));
      const rest = [{ op: "add", path: "/b", value: "y".repeat(room - half) }];
      expect((await update(desk, socket, 1, rest)).payload.version).toBe(2);
      const over = [{ op: "add", path: "/b", value: "y".repeat(room - half + 1) }];
      expect((await update(desk, socket, 2, over)).payload).toMatchObject({ code: "too_large", field: P });
      await update(desk, socket, 2, set({}));
      const many = Array.from({ length: 256 }, (_, i) => at(`/k${i}`));
      expect((await update(desk, socket, 3, many)).payload.version).toBe(4);
      await update(desk, socket, 4, set({ deep: deep(20) }));
      const deeper = [{ op: "add", path: `/deep${"/a".repeat(20)}`, value: deep(12) }];
      expect((await update(desk, socket, 5, deeper)).payload).toMatchObject({ field: P, limit: 32 });
      deeper[0]!.value = deep(11);
      expect((await update(desk, socket, 5, deeper)).payload.version).toBe(6);
      expect(desk.connect().of("state_snapshot")[0].payload.version).toBe(6);
    });
  });

  test("[Y5] bytes are counted, not characters, and a lone surrogate survives", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      await update(desk, socket, 0, set({ a: "é".repeat(20_000), b: "\ud800" }));
      expect(state(desk).shared.b).toBe("\ud800");
      const over = await update(desk, socket, 1, [{ op: "copy", from: "/a", path: "/c" }]);
      expect(over.payload).toMatchObject({ code: "too_large", field: P, limit: 65_536 });
    });
  });
});

describe("who was away", () => {
  const LATER = { client_id: "later", epoch: "id1", since: "0" };

  async function withVersions(
    count: number,
    work: (desk: Desk, tab: RecordingSocket) => Promise<void> | void,
  ) {
    await atDesk(async (desk) => {
      const tab = desk.connect({ principal: LONG_LIVED });
      for (let i = 0; i < count; i += 1)
        await update(desk, tab, i, [{ op: "add", path: `/k${i % 7}`, value: i }]);
      await work(desk, tab);
    });
  }

  const versions = (socket: RecordingSocket) =>
    socket.of("state_patch").map(({ payload }) => payload.version);
  const resume = (desk: Desk, query: object) => desk.connect({ ...LATER, principal: LONG_LIVED, ...query });

  test("[Y6] gets the patches it missed, after the events, and nothing if it missed none", async () => {
    await withVersions(5, (desk) => {
      const socket = resume(desk, { state_version: "2" });
      expect(socket.sent.map(({ type }) => type)).toEqual([
        "connection_established",
        "replay_completed",
        "state_patch",
        "state_patch",
        "state_patch",
      ]);
      expect(versions(socket)).toEqual([3, 4, 5]);
      expect(versions(resume(desk, { state_version: "5" }))).toEqual([]);
    });
  });

  test.each([undefined, "", "-1", "1e1", "6", "99999999999999999999", "x", "0x1", "1.5", "__proto__"])(
    "[Y6] and says %j of its version is given the whole document",
    async (state_version) => {
      await withVersions(5, (desk) => {
        const socket = resume(desk, { state_version });
        const patch = [{ op: "replace", path: "", value: state(desk).shared }];
        expect(socket.of("state_patch")).toEqual([
          { type: "state_patch", payload: { base_version: 0, version: 5, patch } },
        ]);
      });
    },
  );

  test("[Y6] and never had any, while there is none, is told nothing", async () => {
    await atDesk(async (desk) => {
      desk.connect();
      for (const state_version of [undefined, "0", "7"]) {
        expect(versions(desk.connect({ ...LATER, state_version }))).toEqual([]);
      }
    });
  });

  test("[Y6] for 200 patches gets them, for one more the whole document; older ones are not kept", async () => {
    await withVersions(203, (desk) => {
      expect(versions(resume(desk, { state_version: "3" }))).toHaveLength(200);
      const far = resume(desk, { state_version: "2" });
      expect(far.of("state_patch")).toMatchObject([{ payload: { base_version: 2, version: 203 } }]);
      expect(folded(far)).toEqual({ version: 203, document: state(desk).shared });
    });
  });

  test("[Y6] for patches of more than 64 KiB gets the whole document, which is smaller", async () => {
    await atDesk(async (desk) => {
      const tab = desk.connect();
      for (let i = 0; i < 3; i += 1) await update(desk, tab, i, set({ a: `${i}`.repeat(30_000) }));
      expect(versions(desk.connect({ ...LATER, state_version: "1" }))).toEqual([2, 3]);
      expect(versions(desk.connect({ ...LATER, state_version: "0" }))).toEqual([3]);
    });
  });

  test("[Y6] a snapshot has the state, on connecting, after a gap and on resync", async () => {
    await withVersions(3, async (desk, tab) => {
      const gap = resume(desk, { since: "9" });
      expect(gap.of("connection_established")[0].payload.resume).toBe("gap");
      await desk.send(tab, { type: "resync", id: "r", payload: {} });
      for (const socket of [desk.connect(), gap, tab]) {
        const { version, shared } = socket.of("state_snapshot").at(-1).payload;
        expect({ version, shared }).toEqual(state(desk));
      }
      await update(desk, tab, 3, [{ op: "remove", path: "/k0" }]);
      expect(gap.of("state_patch")).toMatchObject([{ payload: { base_version: 3, version: 4 } }]);
    });
  });

  test("[Y6] an evicted object, or one whose pump was lost to a crash, knows what each socket has", async () => {
    await withVersions(2, async (desk, tab) => {
      const other = desk.connect();
      desk.evict();
      await update(desk, tab, 2, [{ op: "add", path: "/x", value: 1 }]);
      expect(versions(other)).toEqual([3]);
      other.serializeAttachment({ ...(other.deserializeAttachment() as object), state_version: 1 });
      desk.evict();
      expect(versions(other)).toEqual([3, 2, 3]);
      const { state_version: _, ...old } = other.deserializeAttachment() as Record<string, unknown>;
      other.serializeAttachment(old);
      desk.evict();
      expect(other.of("state_patch").at(-1).payload).toMatchObject({ base_version: 0, version: 3 });
    });
  });

  test("[Y7] who is behind with events gets patches once it has caught up", async () => {
    await atDesk(async (desk) => {
      const [slow, fast] = [desk.connect(), desk.connect()];
      const say = (i: number) =>
        desk.send(fast, { type: "user_message", id: `m${i}`, payload: { content: `${i}`, respond: false } });
      for (let i = 1; i <= 260; i += 1) {
        desk.advance(100);
        await say(i);
        await desk.send(fast, { type: "ack", payload: { seq: i } });
      }
      await update(desk, fast, 0, set({ a: 1 }));
      await update(desk, fast, 1, set({ a: 2 }));
      expect(versions(fast)).toEqual([1, 2]);
      expect(versions(slow)).toEqual([]);
      await desk.send(slow, { type: "ack", payload: { seq: 256 } });
      expect(versions(slow)).toEqual([1, 2]);
      expect(slow.sent.at(-1).type).toBe("state_patch");
      expect(slow.sent.at(-3)).toMatchObject({ type: "user_message", seq: 260 });
    });
  });
});

describe("the same id", () => {
  test("[Y8] changes the state once, across crashes, whatever it has become since", async () => {
    await atDesk(async (desk) => {
      const patch = [{ op: "add", path: "/n", value: 1 }];
      const first = desk.connect();
      expect((await update(desk, first, 0, patch, "once")).payload).toEqual({ version: 1, duplicate: false });
      await update(desk, first, 1, set({ other: true }));
      desk.crash();
      const again = desk.connect();
      expect((await update(desk, again, 0, patch, "once")).payload).toEqual({ version: 1, duplicate: true });
      expect((await update(desk, again, 1, patch, "once")).payload.code).toBe("id_conflict");
      expect(state(desk)).toEqual({ version: 2, shared: { other: true } });
    });
  });

  test("[Y8] is remembered when a thread is deleted whose events have the same numbers", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      const say = { type: "user_message", id: "m", payload: { content: "hi", respond: false } };
      await desk.send(socket, say);
      const patch = [{ op: "add", path: "/n", value: 1 }];
      await update(desk, socket, 0, patch, "once");
      await desk.send(socket, { type: "thread_delete", id: "d", payload: { thread_id: "main" } });
      expect((await update(desk, socket, 0, patch, "once")).payload).toEqual({ version: 1, duplicate: true });
      await desk.send(socket, say);
      expect(socket.sent.at(-1).payload.code).toBe("expired");
    });
  });

  test("[Y8] an update that could not be committed has not happened", async () => {
    await atDesk(async (desk, storage) => {
      const socket = desk.connect();
      await update(desk, socket, 0, set({ a: 1 }));
      storage.sql.exec("CREATE TRIGGER full BEFORE INSERT ON patches BEGIN SELECT RAISE(ABORT, 'full'); END");
      const patch = [{ op: "add", path: "/b", value: 2 }];
      expect((await update(desk, socket, 1, patch, "x")).payload.code).toBe("internal");
      expect(state(desk)).toEqual({ version: 1, shared: { a: 1 } });
      expect(socket.of("state_patch")).toHaveLength(1);
      storage.sql.exec("DROP TRIGGER full");
      expect((await update(desk, socket, 1, patch, "x")).payload).toEqual({ version: 2, duplicate: false });
    });
  });
});

describe("what is kept of it", () => {
  test("[Y13] ids of updates go after 30 days, though there is no event at all", async () => {
    await atDesk(async (desk, storage) => {
      const DAY = 86_400_000;
      const count = () => Number(storage.sql.exec("SELECT COUNT(*) AS n FROM inbox").one().n);
      const connect = () =>
        desk.connect({ principal: { ...LONG_LIVED, iat: desk.now / 1_000, exp: desk.now / 1_000 + 3_600 } });
      await update(desk, connect(), 0, set({ a: 1 }));
      for (let round = 1; round <= 3; round += 1) {
        desk.advance(32 * DAY);
        desk.crash();
        desk.session.deadlines.fire();
        expect(count()).toBe(0);
        await update(desk, connect(), round, set({ a: round }));
        expect(Math.min(...desk.alarms.slice(-2))).toBeLessThanOrEqual(desk.now + 31 * DAY);
        expect(count()).toBe(1);
      }
      expect(state(desk)).toEqual({ version: 4, shared: { a: 3 } });
    });
  });

  test("[Y6] another epoch leaves it as it is", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect();
      await update(desk, socket, 0, set({ a: 1 }));
      desk.session.invalidate();
      const again = desk.connect({ epoch: "id1", since: "0", state_version: "1" });
      expect(again.of("state_snapshot")[0].payload).toMatchObject({ version: 1, shared: { a: 1 } });
    });
  });

  test("[S11] a snapshot with a full state and many notifications still fits", async () => {
    await atDesk(async (desk) => {
      const socket = desk.connect({ principal: LONG_LIVED });
      await update(desk, socket, 0, set({ a: "x".repeat(60_000) }));
      const who = { ...LONG_LIVED, permissions: ["service" as const] };
      const events = Array.from({ length: 20 }, () => ({ topic: "t", data: "n".repeat(10_000) }));
      await desk.session.requests.publish({ who, events });
      for (let i = 0; i < 20; i += 1) {
        desk.advance(1_000);
        const payload = { content: "c".repeat(20_000), respond: false };
        await desk.send(socket, { type: "user_message", id: `big${i}`, payload });
      }
      const { payload } = desk.connect().of("state_snapshot")[0];
      expect(new TextEncoder().encode(JSON.stringify(payload)).byteLength).toBeLessThanOrEqual(256 * 1024);
      expect(payload.shared.a).toHaveLength(60_000);
      expect(payload.notifications.length + payload.notifications_omitted.count).toBe(20);
      expect(payload.messages.length).toBeGreaterThan(1);
    });
  });
});
