/** Another token for a live connection, and what happens when none comes in time. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Principal } from "../../src/auth/principal.ts";
import { ok, type Result, refuse } from "../../src/protocol/result.ts";
import { connect, newUser, stubOf, waitFor } from "../support/client.ts";
import { BEGIN, Desk, principalWith, type RecordingSocket } from "../support/desk.ts";
import { probe } from "../support/probe.ts";
import { scripted } from "../support/scripted-agent.ts";
import { signToken } from "../support/tokens.ts";

const HOUR_S = 3_600;
const END_MS = HOUR_S * 1_000;

/** A token is looked at in its own time: the test says when. */
class Gate {
  readonly #waiting: ((verified: Result<Principal>) => void)[] = [];

  readonly verify = () =>
    new Promise<Result<Principal>>((resolve) => {
      this.#waiting.push(resolve);
    });

  get waiting(): number {
    return this.#waiting.length;
  }

  answer(verified: Result<Principal>): void {
    this.#waiting.shift()?.(verified);
  }
}

function renewed(over: Partial<Principal> = {}): Result<Principal> {
  return ok({ ...principalWith(["chat", "agents"]), exp: BEGIN / 1_000 + 2 * HOUR_S, ...over });
}

async function atTheDesk(
  work: (desk: Desk, gate: Gate) => Promise<void>,
  verified?: Result<Principal>,
): Promise<void> {
  const gate = new Gate();
  const verify = verified === undefined ? gate.verify : async () => verified;
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, scripted, { verify }), gate);
  });
}

const REFRESH = { type: "auth_refresh", id: "r1", payload: { token: "a.b.c" } };

function message(id: string, more = {}) {
  return { type: "user_message", id, payload: { content: id, respond: false, ...more } };
}

function closed(socket: RecordingSocket) {
  return socket.sent.find((frame) => frame.closed !== undefined)?.closed;
}

function later(desk: Desk, ms: number): void {
  desk.advance(ms);
  desk.session.deadlines.fire();
}

describe("a token that ends soon", () => {
  test("[A21] is announced once, a minute before", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      later(desk, END_MS - 60_001);
      expect(tab.of("auth_expiring")).toEqual([]);
      later(desk, 1);
      later(desk, 1_000);
      expect(tab.of("auth_expiring")).toEqual([
        { type: "auth_expiring", payload: { expires_in_ms: 60_000 } },
      ]);
    });
  });

  test.each([
    [10, 5_000],
    [100, 50_000],
    [120, 60_000],
    [121, 61_000],
  ])("[A21] of %i s is announced after %i ms", async (ttl_s, at_ms) => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect({ principal: { ...principalWith(["chat"]), exp: BEGIN / 1_000 + ttl_s } });
      expect(desk.alarms).toEqual([BEGIN + at_ms]);
      later(desk, at_ms - 1);
      expect(tab.of("auth_expiring")).toEqual([]);
      later(desk, 1);
      expect(tab.of("auth_expiring")).toHaveLength(1);
    });
  });

  test("[A21] is announced at a whole millisecond", async () => {
    await atTheDesk(async (desk) => {
      desk.advance(1);
      desk.connect({ principal: { ...principalWith(["chat"]), exp: BEGIN / 1_000 + 1 } });
      expect(desk.alarms).toEqual([BEGIN + 500]);
    });
  });

  test("[A21] is announced by the instance that is there then, and by one that was only replaced", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      desk.evict();
      later(desk, END_MS - 60_000);
      desk.evict();
      later(desk, 1_000);
      expect(tab.of("auth_expiring")).toHaveLength(1);
    });
  });
});

describe("a renewal", () => {
  test("[A21] with a token that ends no later is not announced again, and sets no alarm", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        later(desk, END_MS - 60_000);
        const { length } = desk.alarms;
        for (let i = 0; i < 20; i += 1) {
          await desk.send(tab, { ...REFRESH, id: `r${i}` });
          later(desk, 1_000);
        }
        expect(tab.of("command_ack")).toHaveLength(20);
        expect(tab.of("auth_expiring")).toHaveLength(1);
        expect(new Set(desk.alarms.slice(length))).toEqual(new Set([BEGIN + END_MS + 30_000]));
      },
      renewed({ exp: BEGIN / 1_000 + HOUR_S }),
    );
  });

  test("[A21] with a token that ends sooner is announced for that one", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        await desk.send(tab, REFRESH);
        later(desk, 540_000 - 1);
        expect(tab.of("auth_expiring")).toEqual([]);
        later(desk, 1);
        expect(tab.of("auth_expiring")).toEqual([
          { type: "auth_expiring", payload: { expires_in_ms: 60_000 } },
        ]);
      },
      renewed({ exp: BEGIN / 1_000 + 600 }),
    );
  });
});

describe("auth_refresh", () => {
  test("[A22] keeps the connection past the end of the old token, and the new one ends in its turn", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      later(desk, END_MS - 60_000);
      await desk.send(tab, REFRESH);
      expect(tab.sent.at(-1)).toEqual({
        type: "command_ack",
        reply_to: "r1",
        payload: { duplicate: false, token_expires_in_ms: END_MS + 60_000 },
      });
      later(desk, 60_000 + 30_000);
      expect(closed(tab)).toBeUndefined();
      later(desk, END_MS - 90_000);
      expect(tab.of("auth_expiring")).toHaveLength(2);
      later(desk, 90_000);
      expect(closed(tab)).toEqual({ code: 4100, reason: "token_expired" });
    }, renewed());
  });

  test("[A22] survives the instance that took it", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await desk.send(tab, REFRESH);
      desk.evict();
      later(desk, END_MS + 40_000);
      expect(closed(tab)).toBeUndefined();
    }, renewed());
  });

  test("[A22] is taken in the grace after the end", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      desk.advance(END_MS + 29_999);
      await desk.send(tab, REFRESH);
      later(desk, 1);
      expect(closed(tab)).toBeUndefined();
    }, renewed());
  });

  test("[A22] has permissions and plan follow with the next frame, though it is sent at once", async () => {
    await atTheDesk(async (desk, gate) => {
      const tab = desk.connect({ principal: principalWith(["chat"]) });
      const sent = [
        desk.send(tab, message("before", { respond: true })),
        desk.send(tab, REFRESH),
        desk.send(tab, message("after", { respond: true })),
        desk.send(tab, { ...REFRESH, id: "r2" }),
        desk.send(tab, message("last", { respond: true })),
      ];
      await sent[0];
      expect(tab.of("error").map(({ reply_to }) => reply_to)).toEqual(["before"]);
      gate.answer(renewed({ plan: "pro" }));
      await Promise.all(sent.slice(1, 3));
      expect(tab.of("message_ack").map(({ reply_to }) => reply_to)).toEqual(["after"]);
      gate.answer(renewed({ permissions: ["chat"] }));
      await Promise.all(sent);
      expect(tab.of("error").map(({ reply_to }) => reply_to)).toEqual(["before", "last"]);
      await desk.idle();
    });
  });

  test("[A22] does not hold up anybody else", async () => {
    await atTheDesk(async (desk, gate) => {
      const [tab, other] = [desk.connect({ client_id: "a" }), desk.connect({ client_id: "b" })];
      const waiting = [desk.send(tab, REFRESH), desk.send(tab, message("waits"))];
      await desk.send(other, message("goes on"));
      expect(other.of("message_ack")).toHaveLength(1);
      expect(tab.of("user_message")).toHaveLength(1);
      expect(tab.of("message_ack")).toEqual([]);
      gate.answer(refuse("token_signature", "no"));
      await Promise.all(waiting);
      expect(tab.of("message_ack")).toHaveLength(1);
    });
  });

  test.each([
    [
      "a token that is refused",
      refuse("token_signature", "the token's signature is not valid"),
      "token_signature",
    ],
    ["one that has expired", refuse("token_expired", "the token has expired"), "token_expired"],
    [
      "a provider that is away",
      refuse("auth_unavailable", "later", { retry_after_ms: 5 }),
      "auth_unavailable",
    ],
    ["one that may not chat", renewed({ permissions: ["service"] }), "forbidden"],
  ])("[A22] with %s changes nothing", async (_, verified, code) => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await desk.send(tab, REFRESH);
      expect(tab.sent.at(-1)).toMatchObject({
        type: "error",
        reply_to: "r1",
        payload: { code, fatal: false },
      });
      await desk.send(tab, message("still here"));
      expect(tab.of("message_ack")).toHaveLength(1);
      later(desk, END_MS + 30_000);
      expect(closed(tab)).toEqual({ code: 4100, reason: "token_expired" });
    }, verified);
  });

  test("[A22] with another user's token ends the connection with 4004, and no other", async () => {
    await atTheDesk(
      async (desk) => {
        const [tab, other] = [desk.connect({ client_id: "a" }), desk.connect({ client_id: "b" })];
        await desk.send(tab, REFRESH);
        expect(tab.of("error").at(-1)).toMatchObject({ reply_to: "r1", payload: { code: "user_mismatch" } });
        expect(closed(tab)).toEqual({ code: 4004, reason: "user_mismatch" });
        expect(closed(other)).toBeUndefined();
      },
      renewed({ user_id: "u_another" }),
    );
  });

  test.each([
    ["before the alarm: it goes on", 0, undefined],
    ["after the alarm: it has ended", 1, 4100],
  ])("[A22] decided %s", async (_, alarmFirst, code) => {
    await atTheDesk(async (desk, gate) => {
      const tab = desk.connect();
      desk.advance(END_MS + 29_999);
      const sent = desk.send(tab, REFRESH);
      const alarm = () => later(desk, 1);
      if (alarmFirst === 1) alarm();
      gate.answer(renewed());
      await sent;
      if (alarmFirst === 0) alarm();
      expect(closed(tab)?.code).toBe(code);
      expect(tab.of("command_ack")).toHaveLength(code === undefined ? 1 : 0);
      expect(tab.of("error")).toHaveLength(code === undefined ? 0 : 1);
    });
  });

  test("[A22] decided after the end, with an alarm that is late, has ended", async () => {
    await atTheDesk(async (desk, gate) => {
      const tab = desk.connect();
      desk.advance(END_MS + 29_999);
      const sent = desk.send(tab, REFRESH);
      desk.advance(1);
      gate.answer(renewed());
      await sent;
      expect(closed(tab)).toEqual({ code: 4100, reason: "token_expired" });
    });
  });

  test("[A22] whose looking fails is a fault of ours, and what waited behind it is taken", async () => {
    await atTheDesk(async (desk, gate) => {
      const tab = desk.connect();
      const sent = desk.send(tab, REFRESH);
      const next = desk.send(tab, message("next"));
      gate.answer(Promise.reject(new Error("no key")) as never);
      await expect(sent).rejects.toThrow("no key");
      await next;
      expect(tab.of("message_ack")).toHaveLength(1);
    });
  });

  test.each([
    [{}, "payload.token"],
    [{ token: "" }, "payload.token"],
    [{ token: 7 }, "payload.token"],
    [{ token: "x".repeat(16_385) }, "payload.token"],
  ])("[A22] of %o is a bad frame that names the field, not the token", async (payload, field) => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await desk.send(tab, { ...REFRESH, payload });
      expect(tab.sent.at(-1)).toMatchObject({ reply_to: "r1", payload: { code: "invalid_payload", field } });
      expect(JSON.stringify(tab.sent.at(-1))).not.toContain("xxx");
    });
  });

  test("[A3] [A22] with a good token of more than 8 KiB is refused like anywhere else", async () => {
    const sub = newUser();
    const client = await connect(sub);
    client.send({ ...REFRESH, payload: { token: await signToken({ sub, pad: "x".repeat(8_192) }) } });
    const { payload } = await client.next(({ reply_to }) => reply_to === "r1");
    expect(payload).toMatchObject({ code: "token_malformed", limit: 8_192, fatal: false });
    client.send({ ...REFRESH, id: "r2", payload: { token: await signToken({ sub }) } });
    expect((await client.next(({ reply_to }) => reply_to === "r2")).type).toBe("command_ack");
  });

  test("[A22] loses nothing of a run whose user's token ended meanwhile", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const key = newUser();
      probe.hold(key);
      const script = [{ text: "first " }, { tool: "hold", key }, { text: "second" }];
      await desk.send(tab, message("q", { respond: true, data: { script } }));
      await waitFor(() => tab.of("tool_executing").length > 0);
      desk.now += END_MS + 30_000;
      await desk.send(tab, message("too late"));
      expect(closed(tab)).toEqual({ code: 4100, reason: "token_expired" });
      probe.release(key);
      await desk.idle();
      const again = desk.connect({ principal: { ...principalWith(["chat"]), exp: desk.now / 1_000 + 60 } });
      expect(again.of("state_snapshot")[0].payload.messages.at(-1)).toMatchObject({
        role: "assistant",
        content: "first second",
        status: "succeeded",
      });
    });
  });
});

describe("what is sent behind an auth_refresh", () => {
  const ended = { code: 4203, reason: "rate_limited" };

  /** A message whose frame is exactly this many bytes long. */
  function frameOf(bytes: number, id: string): string {
    const base = JSON.stringify(message(id, { metadata: { pad: "" } })).length;
    return JSON.stringify(message(id, { metadata: { pad: "x".repeat(bytes - base) } }));
  }

  test.each([
    ["is not text", new ArrayBuffer(4), "binary_unsupported"],
    ["is longer than a frame may be", "x".repeat(65_537), "too_large"],
  ])("[A22] and %s is refused at once", async (_, bad, code) => {
    await atTheDesk(async (desk, gate) => {
      const tab = desk.connect();
      const waiting = [desk.send(tab, REFRESH), desk.send(tab, message("waits"))];
      for (let i = 0; i < 9; i += 1) await desk.session.intake.receive(tab, bad);
      expect(tab.of("error").map(({ payload }) => payload.code)).toEqual(Array(9).fill(code));
      expect(tab.of("message_ack")).toEqual([]);
      gate.answer(renewed());
      await Promise.all(waiting);
      expect(tab.of("message_ack")).toHaveLength(1);
      await desk.session.intake.receive(tab, bad);
      expect(closed(tab)?.code).toBe(4000);
    });
  });

  test("[A22] waits, 256 frames of it, and each gets its one reply in order", async () => {
    await atTheDesk(async (desk, gate) => {
      const tab = desk.connect();
      const ids = Array.from({ length: 256 }, (_, i) => `m${i}`);
      const sent = [desk.send(tab, REFRESH), ...ids.map((id) => desk.send(tab, message(id)))];
      gate.answer(renewed());
      await Promise.all(sent);
      const replies = [...tab.of("message_ack"), ...tab.of("error")].map(({ reply_to }) => reply_to);
      expect(replies).toEqual(ids);
      expect(closed(tab)).toBeUndefined();
    });
  });

  test("[A22] and is one frame too many ends the connection, and no other", async () => {
    await atTheDesk(async (desk, gate) => {
      const [tab, other] = [desk.connect({ client_id: "a" }), desk.connect({ client_id: "b" })];
      const sent = [desk.send(tab, REFRESH)];
      for (let i = 0; i < 256; i += 1) sent.push(desk.send(tab, message(`m${i}`)));
      expect(closed(tab)).toBeUndefined();
      sent.push(desk.send(tab, message("too many")));
      expect(closed(tab)).toEqual(ended);
      expect(tab.of("error")).toMatchObject([
        { payload: { code: "rate_limited", retry_after_ms: 5_000, fatal: true } },
      ]);
      gate.answer(renewed());
      await Promise.all(sent);
      expect([closed(other), other.of("user_message")]).toEqual([undefined, []]);
    });
  });

  test.each([
    ["256 KiB", 65_536, undefined],
    ["a byte more", 65_537, ended],
  ])("[A22] may be %s together", async (_, last_two, expected) => {
    await atTheDesk(async (desk, gate) => {
      const tab = desk.connect();
      const lengths = [65_536, 65_536, 65_536, last_two - 1_000, 1_000];
      const frames = lengths.map((bytes, i) => frameOf(bytes, `m${i}`));
      const sent = [REFRESH, ...frames].map((frame) => desk.send(tab, frame));
      expect(closed(tab)).toEqual(expected);
      gate.answer(renewed());
      await Promise.all(sent);
      expect(tab.of("message_ack")).toHaveLength(expected === undefined ? 5 : 0);
    });
  });

  test("[A22] is counted anew behind the next one", async () => {
    await atTheDesk(async (desk, gate) => {
      const tab = desk.connect();
      const sent = [desk.send(tab, REFRESH), desk.send(tab, { ...REFRESH, id: "r2" })];
      for (let i = 0; i < 255; i += 1) sent.push(desk.send(tab, { type: "ack", payload: { seq: 0 } }));
      gate.answer(renewed());
      await sent[0];
      await waitFor(() => gate.waiting === 1);
      sent.push(desk.send(tab, message("waits too")));
      expect(closed(tab)).toBeUndefined();
      gate.answer(renewed());
      await Promise.all(sent);
      expect(tab.of("message_ack")).toHaveLength(1);
    });
  });
});
