/** The journal of a run (docs/replay.md): `GET /v1/runs/{run_id}/journal`, and the same of any user for operators. */
import type { Handler } from "hono";
import { id } from "../protocol/primitives.ts";
import { ok, type Result } from "../protocol/result.ts";
import type { RunJournal } from "../session/rpc.ts";
import { jsonText } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { refuseId } from "./query.ts";
import { refuseHttp } from "./refusals.ts";
import { userIn } from "./service-request.ts";

export const JOURNAL_PATH = "/v1/runs/:run_id/journal";
export const USER_JOURNAL_PATH = "/v1/users/:user_id/runs/:run_id/journal";

export function showJournal(ports: EdgePorts): Handler<Edge, typeof JOURNAL_PATH> {
  return async function showJournalHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const run_id = runIn(c.req.param("run_id"));
    if (!run_id.ok) return refuseHttp(run_id.refusal);
    const session = c.env.USER_SESSION.getByName(who.value.user_id);
    return answer(await session.runJournal(run_id.value, who.value));
  };
}

export function showUserJournal(ports: EdgePorts): Handler<Edge, typeof USER_JOURNAL_PATH> {
  return async function showUserJournalHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "admin", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const user_id = userIn(c.req.param("user_id"));
    if (!user_id.ok) return refuseHttp(user_id.refusal);
    const run_id = runIn(c.req.param("run_id"));
    if (!run_id.ok) return refuseHttp(run_id.refusal);
    return answer(await c.env.USER_SESSION.getByName(user_id.value).runJournal(run_id.value));
  };
}

function runIn(run_id: string): Result<string> {
  return id.safeParse(run_id).success ? ok(run_id) : refuseId("run_id");
}

/** The frames are JSON already. */
function answer(found: Result<RunJournal>): Response {
  if (!found.ok) return refuseHttp(found.refusal);
  const { events, ...rest } = found.value;
  return jsonText(`${JSON.stringify(rest).slice(0, -1)},"events":[${events.join(",")}]}`);
}
