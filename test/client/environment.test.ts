import { afterEach, describe, expect, test, vi } from "vitest";
import { environment, type Signal } from "../../src/client/environment.ts";
import { uuidv7 } from "../../src/client/uuid.ts";

describe("environment", () => {
  afterEach(() => vi.unstubAllGlobals());

  function page() {
    const window = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    vi.stubGlobal("window", window);
    vi.stubGlobal("document", document);
    const signals: Signal[] = [];
    const stop = environment().onSignal((signal) => signals.push(signal));
    return { window, document, signals, stop };
  }

  test("[C16] a browser's events become signals", () => {
    const { window, document, signals } = page();
    window.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
    document.visibilityState = "hidden";
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("pagehide"));
    expect(signals).toEqual(["online", "visible", "hidden", "hidden"]);
  });

  test("[C18] no signal comes after they were stopped", () => {
    const { window, document, signals, stop } = page();
    stop();
    window.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
    expect(signals).toEqual([]);
  });

  test("[C16] without a page there are no signals", () => {
    const heard = vi.fn();
    environment().onSignal(heard)();
    expect(heard).not.toHaveBeenCalled();
  });

  test("[C8] ids are UUIDs of version 7, in the order they were made", () => {
    vi.useFakeTimers({ now: 1_700_000_000_000, toFake: ["Date"] });
    const first = uuidv7();
    vi.setSystemTime(1_700_000_000_001);
    const second = uuidv7();
    vi.useRealTimers();
    expect(first).toMatch(/^018bcfe5-6800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(second > first).toBe(true);
    expect(new Set(Array.from({ length: 1_000 }, uuidv7)).size).toBe(1_000);
  });
});
