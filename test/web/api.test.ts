import { afterEach, describe, expect, test, vi } from "vitest";
import { Api } from "../../src/web/api.ts";
import { message, thread } from "./support.ts";

function answering(status: number, body: unknown) {
  const fetched = vi.fn(async (_url: string, _init: RequestInit) => Response.json(body, { status }));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

const api = new Api("http://server.test", async () => "secret");

describe("reading over HTTP", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("[W8] takes the token in the header, and the thread as it is named", async () => {
    const fetched = answering(200, { messages: [message("m1", null)] });
    expect(await api.messages("a/b?c")).toEqual([message("m1", null)]);
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe(
      "http://server.test/v1/threads/a%2Fb%3Fc/messages?limit=200&steps=true&alternatives=true",
    );
    expect(init?.headers).toEqual({ Authorization: "Bearer secret" });
    await api.messages("main", "m1");
    expect(fetched.mock.calls[1]?.[0]).toMatch(/&through=m1$/);
  });

  test("[W8] reads on where a page was cut short, as far as the page shows", async () => {
    const pages = [
      { messages: [message("m3", "m2")], next: 30 },
      { messages: [message("m2", "m1")], next: 20 },
      { messages: [message("m1", null)] },
    ];
    const fetched = vi.fn(async (_url: string, _init: RequestInit) => Response.json(pages.shift()));
    vi.stubGlobal("fetch", fetched);
    const listed = await api.messages("main", "m3");
    expect(listed?.map(({ message_id }) => message_id)).toEqual(["m1", "m2", "m3"]);
    expect(fetched.mock.calls.map(([url]) => new URL(url).searchParams.get("before"))).toEqual([
      null,
      "30",
      "20",
    ]);
    expect(new URL(fetched.mock.calls[2]?.[0] ?? "").searchParams.get("limit")).toBe("198");
  });

  test("[W13] takes the arguments of an approval from the journal of its run, and fails where they are not", async () => {
    const waiting = { type: "run_waiting", payload: { wait_id: "w2", args: { amount: 7 } } };
    const fetched = answering(200, { events: [{ type: "agent_started", payload: {} }, waiting] });
    expect(await api.argsOf("r/1", "w2")).toEqual({ amount: 7 });
    expect(fetched.mock.calls[0]?.[0]).toBe("http://server.test/v1/runs/r%2F1/journal");
    await expect(api.argsOf("r1", "w3")).rejects.toThrow("answered 200");
    answering(404, { error: { code: "not_found" } });
    await expect(api.argsOf("r1", "w2")).rejects.toThrow("answered 404");
  });

  test("[W8] finds nothing in a thread that is not there, and fails where it is refused", async () => {
    answering(404, { error: { code: "not_found" } });
    expect(await api.messages("new")).toBeUndefined();
    answering(401, { error: { code: "token_expired" } });
    await expect(api.messages("old")).rejects.toThrow("401");
    await expect(api.threads(undefined)).rejects.toThrow("401");
  });

  test("[W10] asks for threads from the newest, or from where a page ended", async () => {
    const fetched = answering(200, { threads: [thread("a")], next: 7 });
    expect(await api.threads(undefined)).toEqual({ threads: [thread("a")], next: 7 });
    await api.threads(7);
    expect(fetched.mock.calls.map(([url]) => url)).toEqual([
      "http://server.test/v1/threads",
      "http://server.test/v1/threads?before=7",
    ]);
  });
});
