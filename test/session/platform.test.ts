import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { Deadlines, type Duty } from "../../src/session/deadlines.ts";
import { connect, newUser, open, stubOf, waitFor } from "../support/client.ts";

async function inObject(
  sub: string,
  work: (state: DurableObjectState) => void | Promise<void>,
): Promise<void> {
  await runInDurableObject(await stubOf(sub), async (_, state) => await work(state));
}

describe("sockets", () => {
  test("[D1] one whose attachment is not ours is asked to come back, the others go on", async () => {
    const sub = newUser();
    const [odd, fine] = [await connect(sub, { client_id: "odd" }), await connect(sub)];
    await inObject(sub, (state) => {
      const socket = state.getWebSockets().find((one) => one.deserializeAttachment().client_id === "odd");
      socket?.serializeAttachment("junk");
    });
    await evictDurableObject(await stubOf(sub));
    fine.say("m", "hello", { respond: false });
    await fine.next("message_ack");
    expect(await odd.untilClosed()).toEqual({ code: 4200, reason: "restarting" });
  });

  test("[D2] a close is answered with the same code, and leaves nothing behind", async () => {
    const sub = newUser();
    const [leaving, staying] = [await connect(sub), await connect(sub)];
    leaving.close(4_321);
    expect((await leaving.untilClosed()).code).toBe(4_321);
    staying.say("m", "anyone?", { respond: false });
    await staying.next("user_message");
    await inObject(sub, (state) => expect(state.getWebSockets()).toHaveLength(1));
  });

  test("[D3] a fault while a message is handled costs that connection alone, with 4204", async () => {
    const sub = newUser();
    const [unlucky, other] = [await connect(sub), await connect(sub)];
    other.say("m", "hello", { respond: false });
    await unlucky.next("user_message");
    await inObject(sub, (state) => {
      for (const socket of state.getWebSockets()) {
        socket.serializeAttachment = () => {
          throw new Error("no more attachments");
        };
      }
    });
    unlucky.send({ type: "ack", payload: { seq: 1 } });
    expect((await unlucky.next("error")).payload).toMatchObject({ code: "internal", fatal: true });
    expect(await unlucky.untilClosed()).toEqual({ code: 4204, reason: "internal" });
    other.send({ type: "ping", payload: {} });
    await other.next("pong");
  });

  test("[D4] a storage that fails to commit is an error to the sender, and the next command is taken", async () => {
    const sub = newUser();
    const client = await connect(sub);
    let failing = true;
    await inObject(sub, ({ storage }) => {
      const { exec } = storage.sql;
      storage.sql.exec = (query: string, ...bindings: unknown[]) => {
        if (failing && query.startsWith("INSERT INTO events")) throw new Error("disk full");
        return exec.call(storage.sql, query, ...bindings) as never;
      };
    });
    client.say("m", "lost?", { respond: false });
    expect((await client.next("error")).payload).toMatchObject({ code: "internal", retryable: true });
    failing = false;
    client.say("m", "lost?", { respond: false });
    expect((await client.next("message_ack")).payload).toMatchObject({ seq: 1, duplicate: false });
  });
});

describe("the token on an open socket", () => {
  test("[S12] one issued before its user signed out is refused, a newer one is not", async () => {
    const sub = newUser();
    (await connect(sub)).close();
    const signOut = async (not_before: number) => {
      await inObject(sub, ({ storage }) => {
        const row = storage.sql.exec("SELECT value FROM meta WHERE key = 'session'").one();
        const session = { ...JSON.parse(String(row.value)), not_before };
        storage.sql.exec("UPDATE meta SET value = ? WHERE key = 'session'", JSON.stringify(session));
      });
      await evictDurableObject(await stubOf(sub));
    };
    await signOut(Math.floor(Date.now() / 1_000) + 60);
    await expect(open(sub)).rejects.toThrow(/401.*signed_out/);
    await signOut(Math.floor(Date.now() / 1_000) - 60);
    await expect(connect(sub)).resolves.toBeDefined();
  });

  test("[S13] a connection ends 30 s after its token, by the alarm alone, and its run goes on", async () => {
    const sub = newUser();
    // Verified with 30 s of tolerance, so one to two seconds are left of the grace.
    const client = await connect(sub, { ttl_s: -28 });
    client.say("q", "question", { data: { script: [{ text: "answer", pace_ms: 2_200 }] } });
    const error = await client.next("error");
    expect(error.payload).toMatchObject({ code: "token_expired", fatal: true });
    expect(await client.untilClosed()).toEqual({ code: 4100, reason: "token_expired" });
    const renewed = await connect(sub);
    await waitFor(() => renewed.of("agent_completed").length === 1);
  });
});

describe("the alarm", () => {
  function deadlines(duties: readonly Duty[], now = 1_000) {
    const set: number[] = [];
    const reports: string[] = [];
    const storage = {
      setAlarm: async (at: number) => {
        set.push(at);
      },
    };
    const clock = { now: () => now, wait: async () => {}, timer: () => () => {} };
    // Only `setAlarm` of the storage is used here.
    const made = new Deadlines(storage as never, clock, (_level, message) => reports.push(message), duties);
    return { made, set, reports };
  }

  test("[D5] only ever moves earlier", () => {
    const { made, set } = deadlines([]);
    for (const at of [5_000, 6_000, 5_000, 4_000, 4_500]) made.touch(at);
    expect(set).toEqual([5_000, 4_000]);
  });

  test("[D5] what the platform has set already is not set again after a wake", () => {
    const { made, set } = deadlines([]);
    made.recall(3_000);
    made.touch(3_000);
    made.touch(9_000);
    expect(set).toEqual([]);
    made.touch(2_000);
    expect(set).toEqual([2_000]);
  });

  test("[D6] calls every duty, then sets itself to the earliest next time; with none it stays off", () => {
    const calls: string[] = [];
    const duty = (name: string, next: number | undefined): Duty => ({
      name,
      next: () => next,
      perform: () => void calls.push(name),
    });
    const busy = deadlines([duty("a", 9_000), duty("b", 7_000), duty("c", undefined)]);
    busy.made.fire();
    expect(calls).toEqual(["a", "b", "c"]);
    expect(busy.set).toEqual([7_000]);
    const idle = deadlines([duty("d", undefined)]);
    idle.made.fire();
    expect(idle.set).toEqual([]);
  });

  test("[D6] a duty that is still due is tried again after a second, not at once", () => {
    const { made, set } = deadlines([{ name: "stubborn", next: () => 500, perform: () => {} }], 10_000);
    made.fire();
    made.fire();
    expect(set).toEqual([11_000, 11_000]);
  });

  test("[D6] a duty that cannot say when it is due next does not stop the alarm", () => {
    const next = () => {
      throw new Error("no");
    };
    const { made, set, reports } = deadlines([
      { name: "broken", next, perform: () => {} },
      { name: "fine", next: () => 6_000, perform: () => {} },
    ]);
    made.fire();
    expect(set).toEqual([6_000]);
    expect(reports).toEqual(["a duty failed"]);
  });

  test("[D6] a duty that throws costs neither the others their turn nor the alarm its next time", () => {
    const calls: string[] = [];
    const { made, set, reports } = deadlines([
      {
        name: "broken",
        next: () => 8_000,
        perform: () => {
          throw new Error("no");
        },
      },
      { name: "fine", next: () => undefined, perform: () => void calls.push("fine") },
    ]);
    made.fire();
    expect(calls).toEqual(["fine"]);
    expect(set).toEqual([8_000]);
    expect(reports).toEqual(["a duty failed"]);
  });
});
