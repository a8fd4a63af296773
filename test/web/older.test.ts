import { afterEach, describe, expect, test, vi } from "vitest";
import { type Conversation, EMPTY_CONVERSATION, type Message } from "../../src/protocol/pure/conversation.ts";
import { loadMessages, OlderMessages } from "../../src/web/older.ts";

function message(seq: number, thread_id = "old"): Message {
  return {
    message_id: `m${seq}`,
    thread_id,
    role: "user",
    content: `${seq}`,
    seq,
    parent_message_id: null,
    timestamp: "2026-11-21T00:00:00.000Z",
  };
}

function view(...messages: readonly Message[]): Conversation {
  return { ...EMPTY_CONVERSATION, messages };
}

function seqs(conversation: Conversation): number[] {
  return conversation.messages.map(({ seq }) => seq);
}

/** Loads are answered by hand. */
function byHand() {
  const asked: string[] = [];
  const answers: Array<{ give: (messages: readonly Message[]) => void; fail: (error: Error) => void }> = [];
  const older = new OlderMessages((thread_id) => {
    asked.push(thread_id);
    return new Promise((give, fail) => answers.push({ give, fail }));
  });
  return { older, asked, answers };
}

describe("messages a snapshot leaves out", () => {
  test("[W8] stay shown until they have been loaded, and join what came meanwhile, in order and once each", async () => {
    const { older, asked, answers } = byHand();
    const snapshot = [message(4, "new")];
    older.replaced(snapshot, view(message(1), message(2, "other")), "old");
    const loading = older.load();
    expect(seqs(older.complete(view(...snapshot)))).toEqual([1, 4]);
    answers[0]?.give([message(1), message(3), message(5)]);
    expect([await loading, asked]).toEqual([true, ["old"]]);
    expect(seqs(older.complete(view(...snapshot, message(5), message(6))))).toEqual([1, 3, 4, 5, 6]);
  });

  test("[W8] are not asked for if the snapshot has some of the thread, or no thread is shown", async () => {
    const { older, asked } = byHand();
    older.replaced([message(9)], view(message(1)), "old");
    expect([await older.load(), seqs(older.complete(view(message(9))))]).toEqual([false, [9]]);
    older.replaced([], view(message(1)), undefined);
    expect([await older.load(), asked]).toEqual([false, []]);
  });

  test("[W8] are asked for again after a failure, and not after a success", async () => {
    const { older, asked, answers } = byHand();
    older.replaced([], view(message(1)), "old");
    const first = older.load();
    answers[0]?.fail(new Error("offline"));
    expect([await first, seqs(older.complete(view()))]).toEqual([false, [1]]);
    const second = older.load();
    answers[1]?.give([message(1), message(2)]);
    expect([await second, await older.load()]).toEqual([true, false]);
    expect([asked.length, seqs(older.complete(view()))]).toEqual([2, [1, 2]]);
  });

  test("[W8] an answer from before the latest snapshot is not taken for one from after it", async () => {
    const { older, answers } = byHand();
    older.replaced([], view(message(1)), "old");
    const early = older.load();
    older.replaced([], view(), "old");
    const late = older.load();
    answers[0]?.give([message(1)]);
    expect(await early).toBe(false);
    answers[1]?.give([message(1), message(2)]);
    expect([await late, seqs(older.complete(view()))]).toEqual([true, [1, 2]]);
  });
});

describe("loading them", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  function answering(status: number, body: unknown) {
    const fetched = vi.fn(async (_url: string, _init: RequestInit) => Response.json(body, { status }));
    vi.stubGlobal("fetch", fetched);
    return fetched;
  }

  test("[W8] takes the token in the header, and the thread as it is named", async () => {
    const fetched = answering(200, { messages: [message(1)] });
    expect(await loadMessages("http://server.test", "secret", "a/b?c")).toEqual([message(1)]);
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe("http://server.test/v1/threads/a%2Fb%3Fc/messages");
    expect(init?.headers).toEqual({ Authorization: "Bearer secret" });
  });

  test("[W8] finds nothing in a thread that is not stored yet, and fails where it is refused", async () => {
    answering(404, { error: { code: "not_found" } });
    expect(await loadMessages("http://server.test", "t", "new")).toEqual([]);
    answering(401, { error: { code: "token_expired" } });
    await expect(loadMessages("http://server.test", "t", "old")).rejects.toThrow("401");
  });
});
