import { describe, expect, test } from "vitest";
import { ClientError } from "../../src/client/errors.ts";
import { sharedState } from "../../src/client/shared-state.ts";

/** A client whose commands wait for their answer, and whose frames the test makes. */
function fakeClient() {
  const listeners = new Set<(frame: any) => void>();
  const commands: { payload: any; resolve: (ack: any) => void; reject: (error: unknown) => void }[] = [];
  const resyncs: { resolve: (ack: any) => void; reject: (error: unknown) => void }[] = [];
  const client = {
    on: (_name: unknown, listener: any) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    command: ({ payload }: any) =>
      new Promise<any>((resolve, reject) => commands.push({ payload, resolve, reject })),
    resync: () => new Promise<any>((resolve, reject) => resyncs.push({ resolve, reject })),
  };
  const receive = (type: string, payload: unknown) => {
    for (const listener of listeners) listener({ type, payload });
  };
  const snapshot = (version: number, shared: unknown) => receive("state_snapshot", { version, shared });
  const patch = (base_version: number, ops: unknown[], version = base_version + 1) =>
    receive("state_patch", { base_version, version, patch: ops });
  const conflict = (version: number, document: unknown) => {
    const details = { version, document };
    receive("error", { code: "conflict", message: "", retryable: false, fatal: false, details });
    commands.at(-1)?.reject(new ClientError("conflict", "no"));
  };
  return {
    state: sharedState(client as never),
    commands,
    resyncs,
    snapshot,
    patch,
    conflict,
    receive,
    listeners,
  };
}

const add = (path: string, value: unknown) => ({ op: "add" as const, path, value });
const turn = () => new Promise((resolve) => setTimeout(resolve));

describe("the SDK's shared state", () => {
  test("[Y12] folds snapshots and patches, and tells of each change", () => {
    const { state, snapshot, patch } = fakeClient();
    const seen: unknown[] = [];
    const off = state.onChange(({ version, document }) => seen.push([version, document]));
    expect([state.version, state.document]).toEqual([0, {}]);
    snapshot(3, { a: 1 });
    patch(3, [add("/b", 2)]);
    off();
    patch(4, [add("/c", 3)]);
    expect(seen).toEqual([
      [3, { a: 1 }],
      [4, { a: 1, b: 2 }],
    ]);
    expect([state.version, state.document]).toEqual([5, { a: 1, b: 2, c: 3 }]);
  });

  test("[Y12] never changes a document in place", () => {
    const { state, snapshot, patch } = fakeClient();
    snapshot(1, { list: [1] });
    const before = state.document;
    patch(1, [add("/list/0", 0)]);
    expect(before).toEqual({ list: [1] });
  });

  test("[Y12] does not apply its own patch twice", async () => {
    const { state, commands, snapshot, patch } = fakeClient();
    snapshot(1, { list: [] });
    const updated = state.update(() => [add("/list/-", "mine")]);
    await turn();
    commands[0]?.resolve({ version: 2, duplicate: false });
    expect(await updated).toBe(2);
    expect(state.document).toEqual({ list: ["mine"] });
    patch(1, [add("/list/-", "mine")]);
    expect([state.version, state.document]).toEqual([2, { list: ["mine"] }]);
  });

  test("[Y12] nor when the patch came first, or the acknowledgement is an old one", async () => {
    const { state, commands, snapshot, patch } = fakeClient();
    snapshot(1, { list: [] });
    const updated = state.update(() => [add("/list/-", "mine")]);
    await turn();
    patch(1, [add("/list/-", "mine")]);
    patch(2, [add("/list/-", "other")]);
    commands[0]?.resolve({ version: 2, duplicate: true });
    expect(await updated).toBe(2);
    expect([state.version, state.document]).toEqual([3, { list: ["mine", "other"] }]);
  });

  test("[Y12] makes its patch anew from what others made of it", async () => {
    const { state, commands, snapshot, conflict } = fakeClient();
    snapshot(1, { n: 1 });
    const updated = state.update((document: any) => [{ op: "replace", path: "/n", value: document.n + 1 }]);
    await turn();
    conflict(5, { n: 10 });
    await turn();
    expect(commands[1]?.payload).toEqual({
      base_version: 5,
      patch: [{ op: "replace", path: "/n", value: 11 }],
    });
    commands[1]?.resolve({ version: 6, duplicate: false });
    expect(await updated).toBe(6);
    expect(state.document).toEqual({ n: 11 });
  });

  test("[Y12] gives up after as many tries as it was told", async () => {
    const { state, commands, conflict } = fakeClient();
    const updated = state.update(() => [add("/a", 1)], 3);
    updated.catch(() => {});
    for (let version = 1; version <= 3; version += 1) {
      await turn();
      conflict(version, {});
    }
    await expect(updated).rejects.toMatchObject({ code: "conflict" });
    await turn();
    expect(commands).toHaveLength(3);
  });

  test("[Y12] passes on any other refusal at once, and goes on with the next update", async () => {
    const { state, commands } = fakeClient();
    const first = state.update(() => [add("/a", 1)]);
    const second = state.update(() => [add("/b", 1)]);
    await turn();
    expect(commands).toHaveLength(1);
    commands[0]?.reject(new ClientError("too_large", "no"));
    await expect(first).rejects.toMatchObject({ code: "too_large" });
    await turn();
    commands[1]?.resolve({ version: 1, duplicate: false });
    expect(await second).toBe(1);
  });

  test("[Y12] a maker that throws, or has nothing to change, sends nothing", async () => {
    const { state, commands, snapshot } = fakeClient();
    snapshot(4, {});
    const thrown = state.update(() => {
      throw new Error("mine");
    });
    await expect(thrown).rejects.toThrow("mine");
    expect(await state.update(() => undefined)).toBe(4);
    expect(commands).toHaveLength(0);
  });

  test("[Y12] asks once for a snapshot when it misses a patch, and waits for it", async () => {
    const { state, resyncs, snapshot, patch } = fakeClient();
    snapshot(1, { a: 1 });
    patch(2, [add("/b", 1)]);
    patch(3, [add("/c", 1)]);
    expect(resyncs).toHaveLength(1);
    expect([state.version, state.document]).toEqual([1, { a: 1 }]);
    snapshot(4, { a: 2 });
    patch(4, [add("/d", 1)]);
    expect([state.version, state.document]).toEqual([5, { a: 2, d: 1 }]);
    patch(5, [{ op: "remove", path: "/nowhere" }]);
    expect(resyncs).toHaveLength(2);
  });

  test("[Y12] asks again if the first time failed", async () => {
    const { resyncs, patch } = fakeClient();
    patch(2, [add("/b", 1)]);
    resyncs[0]?.reject(new ClientError("closed", "no"));
    await turn();
    patch(3, [add("/b", 1)]);
    expect(resyncs).toHaveLength(2);
  });

  test("[Y12] takes the whole document, whatever it has, and nothing older than that", () => {
    const { state, resyncs, patch } = fakeClient();
    patch(2, [add("/b", 1)]);
    patch(0, [{ op: "replace", path: "", value: [1] }], 9);
    patch(0, [{ op: "replace", path: "", value: "older" }], 8);
    patch(8, [add("/-", 2)]);
    expect([state.version, state.document]).toEqual([9, [1]]);
    expect(resyncs).toHaveLength(1);
  });

  test("[Y12] another log's snapshot has the last word, though its version is lower", () => {
    const { state, snapshot } = fakeClient();
    snapshot(9, { a: 1 });
    snapshot(0, {});
    expect([state.version, state.document]).toEqual([0, {}]);
  });

  test("[Y12] conflicts of other commands mean nothing to it, and after closing nothing does", () => {
    const { state, receive, snapshot, listeners } = fakeClient();
    receive("error", { code: "conflict", message: "", retryable: false, fatal: false });
    receive("error", { code: "not_found", message: "", details: { version: 7, document: 1 } });
    expect(state.version).toBe(0);
    state.close();
    snapshot(1, {});
    expect(state.version).toBe(0);
    expect(listeners.size).toBe(0);
  });
});
