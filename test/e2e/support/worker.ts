/**
 * The real Worker with the real advisor, which takes its time: a run lasts long
 * enough to be interrupted; the clerk beside it asks first. Besides, an object can be looked into and pinned.
 */
import { advisor } from "../../../src/agents/advisor/advisor.ts";
import type { Agent } from "../../../src/agents/agent.ts";
import { native } from "../../../src/dialects/native.ts";
import { app } from "../../../src/edge/app.ts";
import { SessionObject } from "../../../src/session/object.ts";
import { clerk } from "./clerk.ts";
import type { Inspection } from "./inspection.ts";

/** Per piece of text; an answer has about a hundred. */
const PACE_MS = 60;

const TABLES = ["meta", "events", "inbox", "runs", "threads"] as const;
const OPEN = 1;

const unhurried: Agent = {
  ...advisor,
  *run(input) {
    const generator = clerk(input) ?? advisor.run(input);
    let next = generator.next();
    while (next.done !== true) {
      const effect = next.value;
      next = generator.next(yield effect.kind === "text" ? { ...effect, pace_ms: PACE_MS } : effect);
    }
    return next.value;
  },
};

export class UserSession extends SessionObject {
  /** In memory only, so another one means that the object was away in between. */
  readonly #instance = crypto.randomUUID();

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env, { agents: [unhurried], codecs: { native } });
  }

  async inspect(): Promise<Inspection> {
    const sockets = this.ctx.getWebSockets().filter(({ readyState }) => readyState === OPEN);
    const count = (table: string) =>
      Number(this.ctx.storage.sql.exec(`SELECT COUNT(*) AS n FROM ${table}`).one().n);
    return {
      instance: this.#instance,
      rows: Object.fromEntries(TABLES.map((table) => [table, count(table)])),
      sockets: sockets.length,
      attachments: sockets.filter((socket) => socket.deserializeAttachment() !== null).length,
      alarms: (await this.ctx.storage.getAlarm()) === null ? 0 : 1,
    };
  }

  /** What must not happen by accident: a timer that keeps the object from hibernating. */
  async pin(): Promise<void> {
    setTimeout(() => {}, 60_000);
  }
}

interface Env {
  readonly USER_SESSION: DurableObjectNamespace<UserSession>;
  readonly ASSETS: Fetcher;
}

/** `/test/inspect/{user_id}` and `/test/pin/{user_id}`; everything else is the Worker's. */
export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const [, place, what, user_id = ""] = new URL(request.url).pathname.split("/");
    if (place !== "test") return app.fetch(request, env, ctx);
    const object = env.USER_SESSION.getByName(user_id);
    if (what === "pin") return Response.json(await object.pin().then(() => ({})));
    return Response.json(await object.inspect());
  },
};
