/** What runs wait for, answered over HTTP: by their user, and by services. */
import { describe, expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";
import { connect, newUser, type TestClient } from "../support/client.ts";
import { countSessions, HOST, send } from "../support/edge.ts";
import { HttpUser } from "../support/http.ts";
import { probe } from "../support/probe.ts";

const SERVICE = { claims: { permissions: ["service"] } };

interface Waiting {
  readonly user: HttpUser;
  readonly tab: TestClient;
  readonly wait_id: string;
  /** Of the user, and of a service. */
  readonly own: string;
  readonly theirs: string;
}

async function waiting(script: readonly object[]): Promise<Waiting> {
  const sub = newUser();
  const user = new HttpUser(sub);
  const tab = await connect(sub);
  await user.ask("POST", "/v1/messages", { body: { content: "?", data: { script } } });
  const { wait_id } = (await tab.next("run_waiting")).payload;
  const theirs = `/v1/users/${await userId("local", sub)}/waits/${wait_id}`;
  return { user, tab, wait_id, own: `/v1/waits/${wait_id}`, theirs };
}

const SIGNAL = [{ signal: "shipped" }];
const APPROVAL = (key: string) => [{ tool: "approved", key }];

describe("what a run waits for", () => {
  test("[L3] is answered over HTTP, once; under the same key again it is the same answer", async () => {
    const { user, tab, own } = await waiting(SIGNAL);
    const asked = { body: { value: { carrier: "ours" } }, headers: { "Idempotency-Key": "k" } };
    const first = await user.ask("POST", own, asked);
    expect([first.status, first.body]).toEqual([200, { seq: 4, duplicate: false }]);
    expect((await tab.next("agent_completed")).payload.content).toBe(
      '{"status":"answered","value":{"carrier":"ours"}}',
    );
    expect((await user.ask("POST", own, asked)).body).toEqual({ seq: 4, duplicate: true });
    const late = await user.ask("POST", own, { body: { value: 2 } });
    expect([late.status, late.body.error.code, late.body.error.field]).toEqual([409, "conflict", "wait_id"]);
    const other = await user.ask("POST", own, { ...asked, body: { value: 2 } });
    expect([other.status, other.body.error.code]).toEqual([409, "id_conflict"]);
  });

  test("[L4] is nobody else's to answer, and nothing is what fits no wait", async () => {
    const { user, tab, own } = await waiting(SIGNAL);
    const stranger = new HttpUser(newUser());
    expect((await stranger.ask("POST", own, { body: { value: 1 } })).status).toBe(404);
    const approved = await user.ask("POST", own, { body: { decision: "approved" } });
    expect([approved.status, approved.body.error.field]).toEqual([400, "decision"]);
    const guessed = await user.ask("POST", "/v1/waits/w_3_guessed", { body: { value: 1 } });
    expect([guessed.status, guessed.body.error.field]).toEqual([404, "wait_id"]);
    expect(tab.of("run_resumed")).toEqual([]);
  });

  test("[L11] if it is an approval, needs the agents permission; who has none may deny it", async () => {
    const key = newUser();
    const { user, tab, own } = await waiting(APPROVAL(key));
    const claims = { permissions: ["chat"] };
    const approved = await user.ask("POST", own, { claims, body: { decision: "approved" } });
    expect([approved.status, approved.body.error.code, approved.body.error.field]).toEqual([
      403,
      "forbidden",
      "decision",
    ]);
    expect(tab.of("run_resumed")).toEqual([]);
    const denied = await user.ask("POST", own, { claims, body: { decision: "denied" } });
    expect(denied.status).toBe(200);
    expect((await tab.next("tool_completed")).payload.status).toBe("denied");
    expect(probe.executions(key)).toBe(0);
  });
});

describe("a service", () => {
  test("[L12] answers a signal, once, and with an Idempotency-Key again", async () => {
    const { user, tab, theirs } = await waiting(SIGNAL);
    const asked = { ...SERVICE, body: { value: 7 }, headers: { "Idempotency-Key": "s" } };
    const first = await user.ask("POST", theirs, asked);
    expect([first.status, first.body]).toEqual([200, { seq: 4, duplicate: false }]);
    expect((await tab.next("agent_completed")).payload.content).toBe('{"status":"answered","value":7}');
    expect((await user.ask("POST", theirs, asked)).body).toEqual({ seq: 4, duplicate: true });
    expect((await user.ask("POST", theirs, { ...SERVICE, body: { value: 8 } })).status).toBe(409);
  });

  test.each(["approved", "denied"])("[L12] cannot say of an approval that it is %s", async (decision) => {
    const key = newUser();
    const { user, tab, theirs } = await waiting(APPROVAL(key));
    const refused = await user.ask("POST", theirs, { ...SERVICE, body: { decision } });
    expect([refused.status, refused.body.error]).toEqual([
      403,
      expect.objectContaining({
        code: "forbidden",
        field: "wait_id",
        message: expect.stringContaining("own"),
      }),
    ]);
    expect([tab.of("run_resumed"), probe.executions(key)]).toEqual([[], 0]);
  });

  test("[L12] needs its permission, a user, a wait of theirs, a body that fits, and POST", async () => {
    const { user, theirs, wait_id, tab } = await waiting(SIGNAL);
    const status = async (path: string, asked: object) => (await user.ask("POST", path, asked)).status;
    const body = { value: 1 };
    expect(await status(theirs, { body, claims: { permissions: ["chat", "agents"] } })).toBe(403);
    expect(await status(`/v1/users/alice/waits/${wait_id}`, { ...SERVICE, body })).toBe(400);
    const before = await countSessions();
    const strange = `/v1/users/${await userId("local", newUser())}/waits`;
    expect(await status(`${strange}/${"w".repeat(65)}`, { ...SERVICE, body })).toBe(400);
    expect(await status(`${strange}/${wait_id}`, { ...SERVICE, body: { decision: "maybe" } })).toBe(400);
    expect(await countSessions()).toBe(before);
    expect(await status(`${strange}/${wait_id}`, { ...SERVICE, body })).toBe(404);
    const large = { ...SERVICE, body: { value: "x".repeat(65_000) } };
    expect(
      (await user.ask("POST", theirs, { ...SERVICE, body: { value: "\u0000".repeat(60_000) } })).status,
    ).toBe(413);
    expect(tab.of("run_resumed")).toEqual([]);
    const get = await send(new Request(new URL(theirs, HOST)));
    expect([get.status, get.headers.get("Allow")]).toEqual([405, "POST"]);
    expect(await status(theirs, large)).toBe(200);
  });
});
