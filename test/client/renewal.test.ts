/** Another token for the connection that is open. */
import { describe, expect, test } from "vitest";
import { RESYNC_COST } from "../../src/client/pace.ts";
import { commandAck, greeting, refusal, snapshot } from "./support/frames.ts";
import { type HandSocket, opened, reopened, settled, started } from "./support/world.ts";

const expiring = { type: "auth_expiring", payload: { expires_in_ms: 60_000 } };

/** `token-1`, `token-2` and so on. */
function counted(): () => string {
  let tokens = 0;
  return () => {
    tokens += 1;
    return `token-${tokens}`;
  };
}

function presented(socket: HandSocket) {
  return socket.ofType("auth_refresh").map(({ payload }) => payload.token);
}

async function warn(socket: HandSocket): Promise<string> {
  socket.receive(expiring);
  await settled();
  return socket.ofType("auth_refresh").at(-1)?.id ?? "";
}

async function refuse(socket: HandSocket): Promise<void> {
  const id = await warn(socket);
  socket.receive(refusal("auth_unavailable", { retryable: true, retry_after_ms: 500 }, id));
  await settled();
}

describe("a token that ends soon", () => {
  test("[A22] is renewed on the live connection", async () => {
    const { world, client, errors } = await opened(0, counted());
    world.socket.receive(expiring);
    await settled();
    const [asked] = world.socket.ofType("auth_refresh");
    expect(asked?.payload).toEqual({ token: "token-2" });
    const payload = { duplicate: false, token_expires_in_ms: 3_600_000 };
    world.socket.receive({ type: "command_ack", reply_to: asked?.id, payload });
    await world.advance(20_000);
    expect(client.state.status).toBe("open");
    expect(world.socket.ofType("auth_refresh")).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  test("[A22] that cannot be renewed is reported, and the end of the old one brings a new connection", async () => {
    let broken = false;
    const made = await opened(0, () => {
      if (broken) throw new Error("the provider is away");
      return "token";
    });
    broken = true;
    made.world.socket.receive(expiring);
    await settled();
    expect(made.errors).toEqual(["token_unavailable"]);
    expect(made.client.state.status).toBe("open");
    broken = false;
    made.world.socket.drop(4100, "token_expired");
    await made.world.advance(2_000);
    expect(made.world.sockets).toHaveLength(2);
  });

  test("[A22] whose successor is refused is reported, and nothing else happens", async () => {
    const { world, client, errors } = await opened(0, counted());
    world.socket.receive(expiring);
    await settled();
    const [asked] = world.socket.ofType("auth_refresh");
    const payload = { code: "token_signature", message: "", retryable: false, fatal: false };
    world.socket.receive({ type: "error", reply_to: asked?.id, payload });
    await settled();
    expect(errors).toEqual(["token_signature"]);
    expect(client.state.status).toBe("open");
  });

  test("[C28] is not renewed with itself", async () => {
    let token = "first";
    const { world, errors } = await opened(0, () => token);
    await warn(world.socket);
    expect(presented(world.socket)).toEqual([]);
    token = "second";
    world.socket.receive(commandAck(await warn(world.socket)));
    await warn(world.socket);
    expect(presented(world.socket)).toEqual(["second"]);
    expect(errors).toEqual([]);
  });

  test("[C28] is the connection's own: what was not answered is not sent to the next one", async () => {
    const made = await opened(0, counted());
    await warn(made.world.socket);
    void made.client.send("kept");
    const socket = await reopened(made);
    expect([presented(socket), socket.ofType("user_message").length]).toEqual([[], 1]);
    await warn(socket);
    expect([presented(socket), made.errors]).toEqual([["token-4"], []]);
  });

  test.each([
    ["comes", (late: PromiseWithResolvers<string>) => late.resolve("late")],
    ["fails", (late: PromiseWithResolvers<string>) => late.reject(new Error("late"))],
  ])("[C28] whose successor %s after the connection has ended is let be", async (_, end) => {
    const late = Promise.withResolvers<string>();
    const tokens = ["first", late.promise, "third"];
    const made = await started(() => tokens.shift() ?? "");
    made.world.socket.receive(greeting(), snapshot(0));
    await warn(made.world.socket);
    const socket = await reopened(made);
    end(late);
    await settled();
    expect([presented(socket), made.errors]).toEqual([[], []]);
    made.client.close();
    expect(made.world.timers).toBe(0);
  });

  test("[C28] is renewed later where the server says when", async () => {
    const { world, errors } = await opened(0, counted());
    await refuse(world.socket);
    await world.advance(499);
    expect(presented(world.socket)).toEqual(["token-2"]);
    await world.advance(1);
    expect(presented(world.socket)).toEqual(["token-2", "token-3"]);
    expect(errors).toEqual([]);
  });

  test("[C28] is not renewed later on another connection, nor by a client that was closed", async () => {
    const made = await opened(0, counted());
    await refuse(made.world.socket);
    const socket = await reopened(made);
    await made.world.advance(1_000);
    expect(presented(socket)).toEqual([]);
    await refuse(socket);
    made.client.close();
    expect([made.world.timers, made.errors]).toEqual([0, []]);
  });

  test("[C28] holds back no command while its renewal waits", async () => {
    const { world, client } = await opened(0, counted());
    await refuse(world.socket);
    void client.send("at once");
    expect(world.socket.ofType("user_message")).toHaveLength(1);
  });

  test("[C24] is renewed at the price the server takes", async () => {
    const { world, client } = await started(counted());
    const limits = { commands_per_s: 30, commands_burst: 60 };
    world.socket.receive(greeting({ limits }), snapshot(0));
    await warn(world.socket);
    for (let i = 0; i < 100; i += 1) client.send(`m${i}`).catch(() => {});
    expect(world.socket.ofType("user_message")).toHaveLength(60 * 0.8 - RESYNC_COST);
    client.close();
  });
});
