import { describe, expect, test } from "vitest";
import { Backoff } from "../../src/client/backoff.ts";
import { greeting, snapshot } from "./support/frames.ts";
import { opened } from "./support/world.ts";

function waits(random: number, count: number): number[] {
  const backoff = new Backoff(() => random);
  return Array.from({ length: count }, () => backoff.next());
}

describe("backoff", () => {
  test("[C1] the ceiling doubles from 250 ms and stays at 2 s while an outage is young", () => {
    expect(waits(0.9999, 20).map((wait) => wait + 1)).toEqual([250, 500, 1000, ...Array(17).fill(2000)]);
  });

  test("[C1] an outage that is not young any more doubles it up to 30 s", () => {
    expect(
      waits(0.99999, 26)
        .slice(20)
        .map((wait) => wait + 1),
    ).toEqual([4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  test("[C1] jitter is full: the wait is anywhere from nothing to the ceiling", () => {
    expect(waits(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(waits(0.5, 4)).toEqual([125, 250, 500, 1000]);
  });

  test("[C1] what the server asked for is added to the jitter, so that nobody comes too early", () => {
    expect(new Backoff(() => 0.5).next(3_000)).toBe(3_125);
  });

  test.each([
    ["lived shorter than 5 s after its greeting does not reset the wait", 4_999, 250],
    ["lived 5 s resets the wait", 5_000, 125],
  ])("[C1] a connection that %s", async (_, lived_ms, wait) => {
    const { world, client } = await opened();
    world.socket.drop();
    await world.advance(125);
    world.socket.receive(greeting(), snapshot(0));
    await world.advance(lived_ms);
    world.socket.drop();
    expect(client.state).toMatchObject({ status: "waiting", retry_in_ms: wait });
  });

  test("[C1] the patience asked for in a fatal error holds for one attempt", async () => {
    const { world, client } = await opened();
    const payload = {
      code: "rate_limited",
      message: "",
      retryable: true,
      fatal: true,
      retry_after_ms: 7_000,
    };
    world.socket.receive({ type: "error", payload });
    world.socket.drop(4203, "rate_limited");
    expect(client.state).toMatchObject({ retry_in_ms: 7_125 });
    await world.advance(7_125);
    world.socket.drop();
    expect(client.state).toMatchObject({ retry_in_ms: 250 });
  });
});
