/** One history: what is there, what is insisted upon after each step, and how it ends. */
import { Workshop } from "./agent.ts";
import { Ledger } from "./ledger.ts";
import { Tab } from "./tab.ts";
import { insist, insistOnNoBlame, type ModelSocket, World } from "./world.ts";

const TABS = 4;

const MINUTE_MS = 60_000;

/** A token nobody outlives. */
const FOR_EVER_S = 100 * 365 * 86_400;

export interface ConnectQuery {
  readonly epoch?: string;
  readonly since?: string;
  /** Seconds until its token ends. */
  readonly exp_s?: number;
}

export class History {
  readonly workshop = new Workshop();
  readonly world: World;
  readonly ledger = new Ledger();
  readonly tabs = Array.from({ length: TABS }, (_, i) => new Tab(`t${i}`));
  /** Sockets whose client is gone without a word; their close may be told late. */
  ghosts: ModelSocket[] = [];
  /** Codes a socket may be closed with by what happens in this step. */
  readonly excuses = new Set<number>();
  /** Whether sockets outlive an instance that dies after its commit. */
  socketsSurvive = false;
  counter = 0;
  /** By how much the clock was set back, all in all: alarms are that much farther away. */
  set_back_ms = 0;
  /** What is still to be looked at once the step has settled. */
  readonly afterwards: (() => void)[] = [];
  readonly #numbers = new Map<ModelSocket, number>();
  readonly #expiring = new Set<ModelSocket>();

  constructor(storage: DurableObjectStorage) {
    this.world = new World(storage, this.workshop.agent);
  }

  tab(index: number): Tab {
    return this.tabs[index % TABS] as Tab;
  }

  connect(tab: Tab, { exp_s = FOR_EVER_S, ...over }: ConnectQuery = {}): void {
    tab.n += 1;
    const { socket: replaced } = tab;
    const cursor = tab.epoch === undefined ? {} : { epoch: tab.epoch, since: `${tab.cursor}` };
    const socket = this.upgrade(tab, tab.n, { ...cursor, ...over }, exp_s);
    this.#numbers.set(socket, this.#numbers.size + 1);
    if (exp_s !== FOR_EVER_S) this.#expiring.add(socket);
    const made = replaced?.readyState === 1 && !socket.deaf && socket.closed === undefined;
    insist(!made, "a newer connection replaces the older one of its client", tab.name);
    tab.attach(socket);
    if (socket.frames[0]?.payload.resume === "resumed") this.acknowledged(tab.cursor);
  }

  upgrade(tab: Tab, n: number, cursor: { epoch?: string; since?: string }, exp_s: number): ModelSocket {
    const iat = Math.floor(this.world.now / 1_000);
    const who = { user_id: "u_model", realm: "local", sub: "model", plan: "free" as const };
    const principal = { ...who, permissions: ["chat" as const, "agents" as const], iat, exp: iat + exp_s };
    return this.world.connect({ principal, client_id: tab.client_id, n: `${n}`, ...cursor });
  }

  send(tab: Tab, frame: { readonly type: string; readonly id?: string; readonly payload: unknown }): void {
    if (!tab.live || tab.socket === undefined) return;
    if (frame.id !== undefined) tab.asked(frame.id);
    this.world.receive(tab.socket, frame);
  }

  /** A new message, or one that was sent before under this id. */
  say(tab: Tab, wantsAnswer: boolean, known?: string): void {
    if (!tab.live || tab.socket === undefined) return;
    const id = known ?? this.nextId("m");
    const before = this.ledger.asked.get(id);
    const content = before?.content ?? `${"x".repeat(this.counter % 2)}${this.counter}`;
    const answered = before?.answered ?? wantsAnswer;
    this.ledger.ask(id, content, answered, this.#numbers.get(tab.socket) ?? 0);
    const payload = answered ? { content } : { content, respond: false };
    this.send(tab, { type: "user_message", id, payload });
  }

  /** The name of the log, as it is on disk. */
  epoch(): string | undefined {
    const [row] = this.world.rows("SELECT value FROM meta WHERE key = 'session'");
    return row === undefined ? undefined : JSON.parse(String(row.value)).epoch;
  }

  nextId(kind: string): string {
    this.counter += 1;
    return `${kind}${this.counter}`;
  }

  ack(tab: Tab, seq: number): void {
    if (!tab.live || Number.isNaN(tab.cursor)) return;
    this.send(tab, { type: "ack", payload: { seq } });
    if (tab.live) this.acknowledged(seq);
  }

  acknowledged(seq: number): void {
    this.ledger.acked = Math.max(this.ledger.acked, seq);
  }

  /** The instance and its sockets are gone in the same moment. */
  crash(survivors: ModelSocket[] = []): void {
    this.workshop.release();
    for (const tab of this.tabs) {
      if (tab.socket === undefined) continue;
      if (survivors.includes(tab.socket)) tab.forgive();
      else tab.socket = undefined;
    }
    this.world.restart(survivors);
    this.#recallAcks(survivors);
  }

  async settle(): Promise<void> {
    await this.world.settle();
    if (this.world.dead) await this.#succeed();
    for (;;) {
      this.#digest();
      this.ledger.audit(this.world, this.workshop);
      for (const tab of this.tabs) this.ledger.insistOnLife(tab.fresh.splice(0), this.world.now);
      if (!this.#answer()) break;
      await this.world.settle();
    }
    this.#insist();
    this.excuses.clear();
    this.world.failingIds = [];
    this.world.failingInserts = 0;
    this.world.dyingAfterCommit = false;
  }

  /** Everybody comes back, everything in progress ends, and all agree on what was said. */
  async end(): Promise<void> {
    this.workshop.release();
    for (let round = 0; round < 5; round += 1) {
      this.world.advance(61_000);
      if (this.world.alarm !== undefined) this.world.ring();
      await this.settle();
    }
    for (const tab of this.tabs) {
      tab.acking = true;
      if (!tab.live) this.connect(tab);
      await this.settle();
    }
    const { ledger, world } = this;
    insist(
      ledger.runs.every((run_id) => ledger.ended.has(run_id)),
      "every run comes to its end",
    );
    insist(world.timers === 0, "a calm object has no timers", world.timers);
    ledger.auditAll(world);
    for (const tab of this.tabs) this.#insistOnSight(tab);
    const fresh = new Tab("fresh");
    this.connect(fresh);
    await world.settle();
    fresh.digest(() => {});
    insist(fresh.cursor === ledger.head, "a fresh client sees everything", fresh.cursor);
  }

  /** The instance died after a commit: the next one takes over. */
  async #succeed(): Promise<void> {
    const survivors = this.socketsSurvive ? this.tabs.flatMap(({ socket }) => socket ?? []) : [];
    for (const socket of survivors) socket.deaf = false;
    this.ledger.audit(this.world, this.workshop);
    this.crash(survivors);
    await this.world.settle();
  }

  /** What a new instance knows of acknowledgements: what is on disk, and what its sockets remember. */
  #recallAcks(survivors: readonly ModelSocket[]): void {
    const [last] = this.world.rows("SELECT acked FROM events ORDER BY seq DESC LIMIT 1");
    const remembered = survivors.filter(({ readyState }) => readyState === 1).map(ackOf);
    this.ledger.acked = Math.max(Number(last?.acked ?? 0), ...remembered);
  }

  #digest(): void {
    for (const tab of this.tabs) {
      tab.digest((frame) => this.ledger.replied(frame));
      const { socket } = tab;
      if (socket?.closed === undefined) continue;
      insist(this.#isExcused(tab, socket), "nobody is closed without a reason", {
        tab: tab.name,
        ...socket.closed,
      });
      tab.socket = undefined;
    }
    insistOnNoBlame();
  }

  #isExcused(tab: Tab, socket: ModelSocket): boolean {
    const code = socket.closed?.code ?? 0;
    if (code === 4_100) return this.#expiring.has(socket);
    if (code === 4_201 || code === 4_202) return !tab.acking;
    return this.excuses.has(code);
  }

  /** Clients acknowledge what they were handed, and answer a ping. True if anybody did, which may bring more. */
  #answer(): boolean {
    let any = false;
    for (const tab of this.tabs) {
      if (!tab.live || !tab.acking || tab.socket === undefined) continue;
      if (tab.pinged) this.send(tab, { type: "pong", payload: {} });
      tab.pinged = false;
      if (ackOf(tab.socket) >= tab.cursor) continue;
      this.ack(tab, tab.cursor);
      any = true;
    }
    return any;
  }

  #insist(): void {
    const { world, ledger } = this;
    for (const tab of this.tabs) {
      if (!tab.live) continue;
      tab.insistOnReplies();
      if (!tab.acking) continue;
      const { name, cursor } = tab;
      insist(tab.replayed, "a replay comes to its end", name);
      insist(cursor === ledger.head, "everything reaches every tab", {
        tab: name,
        cursor,
        head: ledger.head,
      });
    }
    const waits =
      this.tabs.some(({ live }) => live) || ledger.runs.some((run_id) => !ledger.ended.has(run_id));
    insist(!waits || world.alarm !== undefined, "whoever waits for something is woken for it");
    const soon = (world.alarm ?? 0) - world.now <= MINUTE_MS + this.set_back_ms;
    insist(soon || ledger.unfinished === 0, "a run is looked after within a minute");
    for (const look of this.afterwards.splice(0)) look();
  }

  /** Everything a tab was ever handed is what lies in the log. */
  #insistOnSight(tab: Tab): void {
    for (const [seq, text] of tab.handed) {
      const kept = this.ledger.frameAt(seq);
      insist(kept === undefined || kept === text, "all tabs saw the same", { tab: tab.name, seq });
    }
  }
}

function ackOf(socket: ModelSocket): number {
  const attachment: unknown = socket.deserializeAttachment();
  return Number(Reflect.get(Object(attachment), "ack") ?? 0);
}
