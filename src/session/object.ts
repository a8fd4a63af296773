/**
 * The Durable Object: platform callbacks in, one try/catch at each edge, no
 * decisions. What one socket does wrong must never cost another one anything.
 */
import { DurableObject } from "cloudflare:workers";
import type { Agent } from "../agents/agent.ts";
import { agUiAgent } from "../agents/remote/remote-agent.ts";
import type { Principal } from "../auth/principal.ts";
import { realmsOf } from "../auth/realms.ts";
import { verifyToken } from "../auth/verify.ts";
import { DEFAULTS, type Settings, settingsOf } from "../config/settings.ts";
import type { EffectCommand } from "../protocol/commands.ts";
import { CLOSE_CODES, type CloseName } from "../protocol/pure/close-codes.ts";
import { PING_TEXT, PONG_TEXT } from "../protocol/pure/constants.ts";
import { errorPayload, statusOf } from "../protocol/refusal.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import type { Codec } from "./codec.ts";
import { faultOf } from "./faults.ts";
import {
  measureWith,
  platformClock,
  platformFetch,
  platformIds,
  platformLogger,
  platformProvider,
} from "./platform.ts";
import type { Ports, Socket } from "./ports.ts";
import type {
  EventQuery,
  Feeding,
  MessageQuery,
  Publication,
  RunRequest,
  SessionRpc,
  ThreadQuery,
  WaitAnswer,
} from "./rpc.ts";
import { Session } from "./session.ts";
import { readUpgradeRequest } from "./upgrade-request.ts";

/** What a deployment chooses; everything else comes from the platform. */
export interface SessionParts {
  readonly agents: readonly [Agent, ...Agent[]];
  readonly codecs: Readonly<Record<string, Codec>>;
}

export class SessionObject extends DurableObject implements SessionRpc {
  readonly #ports: Ports;
  #session: Session;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env, parts: SessionParts & Partial<Ports>) {
    super(ctx, env);
    this.#ports = {
      user_id: ctx.id.name ?? ctx.id.toString(),
      storage: ctx.storage,
      sockets: () => ctx.getWebSockets(),
      clock: platformClock,
      ids: platformIds,
      random: Math.random,
      background: (work) => ctx.waitUntil(work),
      answeredAt: () => new Map(ctx.getWebSockets().flatMap((socket) => answer(ctx, socket))),
      report: platformLogger,
      measure: measureWith(env, ctx.id.name ?? ""),
      ...chosen(env),
      ...parts,
    };
    this.#session = new Session(this.#ports);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING_TEXT, PONG_TEXT));
    // The only await before events are let in: a local read, no external I/O.
    ctx.blockConcurrencyWhile(async () => this.#session.wake(await ctx.storage.getAlarm())).catch(() => {});
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      return this.#upgrade(request);
    } catch (cause) {
      return refused(this.#fault(cause).refusal);
    }
  }

  #upgrade(request: Request): Response {
    const { shake, subprotocol } = readUpgradeRequest(request);
    const admitted = this.#session.reception.admit(shake);
    if (!admitted.ok) return refused(admitted.refusal);
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    try {
      this.#session.reception.connect(server, shake);
    } catch (cause) {
      // An accepted socket counts until it is closed: it must not outlive a greeting that failed.
      this.#session.fail(server, cause);
    }
    const headers = subprotocol === undefined ? {} : { "Sec-WebSocket-Protocol": subprotocol };
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    try {
      await this.#session.intake.receive(socket, message);
    } catch (cause) {
      this.#session.fail(socket, cause);
    }
  }

  /** The platform does not answer a client's close frame: `drop` does. */
  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    this.#session.connections.drop(socket, code, reason);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#session.connections.drop(socket, CLOSE_CODES.internal, "internal" satisfies CloseName);
  }

  /** Duties are caught one by one; a throw here would be retried six times and then lost. */
  override async alarm(): Promise<void> {
    this.#session.deadlines.fire();
  }

  async listThreads(who: Principal, query: ThreadQuery) {
    return this.#answer(() => this.#session.requests.listThreads(who, query));
  }

  async listMessages(who: Principal, query: MessageQuery) {
    return this.#answer(() => this.#session.requests.listMessages(who, query));
  }

  async readEvents(who: Principal, query: EventQuery) {
    return this.#answer(() => this.#session.requests.readEvents(who, query));
  }

  async submit(who: Principal, command: EffectCommand) {
    return this.#answer(() => this.#session.requests.submit(who, command));
  }

  async answer(who: Principal, run_id: string) {
    return this.#answer(() => this.#session.requests.answer(who, run_id));
  }

  async exportThreads(who: Principal, after: string, epoch?: string | null) {
    return this.#answer(() => this.#session.requests.exportThreads(who, after, epoch));
  }

  async exportPage(who: Principal, after: number, epoch?: string | null) {
    return this.#answer(() => this.#session.requests.exportPage(who, after, epoch));
  }

  async overview() {
    return this.#answer(() => this.#session.requests.overview());
  }

  async runJournal(run_id: string, who?: Principal) {
    return this.#answer(() => this.#session.requests.runJournal(run_id, who));
  }

  /** Nothing else is let in meanwhile: between the old session and the new one there is none. */
  async erase(who: Principal): Promise<Result<void>> {
    return this.#answer(async () => {
      const erased = this.#session.erase(who);
      if (!erased.ok) return erased;
      await this.ctx.blockConcurrencyWhile(async () => {
        await this.ctx.storage.deleteAlarm();
        await this.ctx.storage.deleteAll();
        this.#session = new Session(this.#ports);
        this.#session.remember(erased.value);
      });
      return ok(undefined);
    });
  }

  async readState(who: Principal) {
    return this.#answer(() => this.#session.requests.readState(who));
  }

  async readUsage(who: Principal) {
    return this.#answer(() => this.#session.requests.readUsage(who));
  }

  async publish(publication: Publication) {
    return this.#answer(() => this.#session.requests.publish(publication));
  }

  async startRun(request: RunRequest) {
    return this.#answer(() => this.#session.requests.startRun(request));
  }

  async feed(feeding: Feeding) {
    return this.#answer(() => this.#session.requests.feed(feeding));
  }

  async answerWait(answer: WaitAnswer) {
    return this.#answer(() => this.#session.requests.answerWait(answer));
  }

  async invalidate() {
    return this.#answer(() => this.#session.invalidate());
  }

  async signOut(who?: Principal) {
    return this.#answer(() => this.#session.signOut(who));
  }

  async #answer<T>(work: () => Result<T> | Promise<Result<T>>): Promise<Result<T>> {
    try {
      return await work();
    } catch (cause) {
      return this.#fault(cause);
    }
  }

  /** What is thrown out of here is logged by the platform with its message, which may be text of a chat. */
  #fault(cause: unknown) {
    this.#ports.report("error", "a request failed", { ...faultOf(cause) });
    return refuse("internal", "something went wrong here; the same request may succeed later");
  }
}

/** What the settings decide. */
type Chosen = Pick<Ports, "heartbeat" | "retention_days" | "plans" | "prices" | "remote" | "verify">;

/** With settings that are wrong the Worker lets nobody in; what is open already is kept as usual. */
function chosen(env: object): Chosen {
  const settings = settingsOf(env);
  const { heartbeat_sweep_ms, heartbeat_timeout_ms, retention_days, plans, prices } = settings.ok
    ? settings.value
    : DEFAULTS;
  return {
    heartbeat: { sweep_ms: heartbeat_sweep_ms, timeout_ms: heartbeat_timeout_ms },
    retention_days,
    plans,
    prices,
    remote: settings.ok ? remoteOf(settings.value) : undefined,
    verify: async (token) => {
      if (!settings.ok) return settings;
      return verifyToken(token, realmsOf(settings.value, platformProvider), platformClock.now);
    },
  };
}

/** Where the settings name one, it answers. */
function remoteOf({ remote_agent }: Settings): Ports["remote"] {
  return remote_agent && agUiAgent(remote_agent, { fetch: platformFetch, clock: platformClock });
}

function refused(refusal: Refusal): Response {
  return Response.json({ error: errorPayload(refusal, true) }, { status: statusOf(refusal) });
}

function answer(ctx: DurableObjectState, socket: WebSocket): [Socket, number][] {
  const at = ctx.getWebSocketAutoResponseTimestamp(socket);
  return at === null ? [] : [[socket, at.getTime()]];
}
