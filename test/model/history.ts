/** One history: what is there, what can be done with it, and how it ends. */
import { Workshop } from "./agent.ts";
import { insist } from "./insist.ts";
import { Ledger, type Said } from "./ledger.ts";
import type { Order, OrderType } from "./orders.ts";
import { Promises } from "./promises.ts";
import { Sdk } from "./sdk.ts";
import type { ModelSocket } from "./socket.ts";
import { Tab } from "./tab.ts";
import { principal, World } from "./world.ts";

const TABS = 4;

/** So many of the tabs are pages of the SDK, whose pings the platform answers. */
const SDK_TABS = 2;

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
  readonly tabs = Array.from(
    { length: TABS },
    (_, i) => new Tab(`t${i}`, i < SDK_TABS ? new Sdk() : undefined),
  );
  /** Sockets whose client is gone without a word; their close may be told late. */
  ghosts: ModelSocket[] = [];
  /** Codes a socket may be closed with by what happens in this step. */
  readonly excuses = new Set<number>();
  /** Whether sockets outlive an instance that dies after its commit. */
  socketsSurvive = false;
  counter = 0;
  #threads = 0;
  /** By how much the clock was set back, all in all: alarms are that much farther away. */
  set_back_ms = 0;
  /** What is still to be looked at once the step has settled. */
  readonly afterwards: (() => void)[] = [];
  /** When the token of a socket ends, milliseconds since the epoch, if anybody lives to see it. */
  readonly expiring = new Map<ModelSocket, number>();
  /** Who signed in before, in seconds since the epoch, has been signed out. */
  not_before = 0;
  /** Keys under which something was published. */
  keys: string[] = [];
  /** Where something is said most of the time; the others are made by their first message. */
  readonly #places = ["main", "", "", "", ""];
  readonly #numbers = new Map<ModelSocket, number>();
  readonly #promises: Promises;

  constructor(storage: DurableObjectStorage) {
    this.world = new World(storage, this.workshop.agent);
    this.#promises = new Promises(this);
    for (const place of this.#places) this.replace(place);
  }

  place(index: number): string {
    return this.#places[index % this.#places.length] ?? "main";
  }

  /** Talks go on somewhere else than in a thread that is being deleted; only the default thread begins anew. */
  replace(thread_id: string): void {
    const index = this.#places.indexOf(thread_id);
    if (index === -1 || thread_id === "main") return;
    this.#threads += 1;
    this.#places[index] = `018f0000-0000-7000-8000-${`${this.#threads}`.padStart(12, "0")}`;
  }

  tab(index: number): Tab {
    return this.tabs[index % TABS] as Tab;
  }

  connect(tab: Tab, { exp_s = FOR_EVER_S, ...over }: ConnectQuery = {}): void {
    tab.n += 1;
    const { socket: replaced } = tab;
    const cursor = tab.epoch === undefined ? {} : { epoch: tab.epoch, since: `${tab.cursor}` };
    const socket = this.upgrade(tab.client_id, tab.n, { ...cursor, ...over }, exp_s);
    socket.pinging = tab.sdk !== undefined;
    this.#numbers.set(socket, this.#numbers.size + 1);
    if (exp_s !== FOR_EVER_S) this.expiring.set(socket, (Math.floor(this.world.now / 1_000) + exp_s) * 1_000);
    const made = replaced?.open && !socket.deaf && socket.closed === undefined;
    insist(!made, "a newer connection replaces the older one of its client", tab.name);
    tab.attach(socket);
    if (socket.frames[0]?.payload.resume === "resumed") this.acknowledged(tab.cursor);
    else this.#promises.insistOnSnapshot(socket);
  }

  /** A token for so many seconds, or one that is no good. */
  renew(tab: Tab, ttl_s: number): void {
    const { socket } = tab;
    if (!tab.live || socket === undefined) return;
    this.send(tab, { type: "auth_refresh", id: this.nextId("r"), payload: { token: `${ttl_s}` } });
    const end = this.expiring.get(socket) ?? Number.POSITIVE_INFINITY;
    const signedOut = Math.floor(this.world.now / 1_000) < this.not_before;
    if (Number.isNaN(ttl_s) || signedOut || this.world.now >= end + 30_000) return;
    this.expiring.set(socket, (Math.floor(this.world.now / 1_000) + ttl_s) * 1_000);
  }

  /** Everybody is out, and comes back with a newer token. */
  signOut(): void {
    this.excuses.add(4_007);
    this.not_before = Math.max(this.not_before, Math.floor(this.world.now / 1_000) + 1);
    const born = this.epoch() !== undefined;
    const done = this.world.session.signOut();
    insist(done.ok, "anybody can be signed out", born);
  }

  upgrade(
    client_id: string,
    n: number,
    cursor: { epoch?: string; since?: string },
    exp_s: number,
  ): ModelSocket {
    const who = principal(this.world.now, exp_s);
    const others = this.world.sockets.filter((one) => one.open && one.client_id !== client_id);
    const socket = this.world.connect({ principal: who, client_id, n: `${n}`, ...cursor });
    const signedOut = who.iat < this.not_before;
    insist(!signedOut || socket.closed?.code === 4_007, "who has signed out is out", client_id);
    this.#promises.insistOnRoom(socket, others);
    return socket;
  }

  send(tab: Tab, frame: { readonly type: string; readonly id?: string; readonly payload: unknown }): void {
    if (!tab.live || tab.socket === undefined) return;
    if (frame.id !== undefined) tab.asked(frame.id);
    this.world.receive(tab.socket, frame);
  }

  resync(tab: Tab): void {
    if (!tab.live || tab.socket === undefined) return;
    tab.resyncing();
    this.send(tab, { type: "resync", id: this.nextId("s"), payload: {} });
    if (tab.live) this.#promises.insistOnSnapshot(tab.socket);
  }

  /** A new message, in the default thread or elsewhere. */
  say(tab: Tab, wantsAnswer: boolean, place: Pick<Said, "thread_id" | "parent_message_id"> = {}): void {
    const id = this.nextId("m");
    const content = `${"x".repeat(this.counter % 2)}${this.counter}`;
    this.deliver(tab, id, { content, ...(wantsAnswer ? {} : { respond: false }), ...place });
  }

  /** A message that was sent before, under its id. */
  sayAgain(tab: Tab, id: string): void {
    const asked = this.ledger.asked.get(id);
    if (asked !== undefined) this.deliver(tab, id, asked.said);
  }

  deliver(tab: Tab, id: string, said: Said): void {
    if (!tab.live || tab.socket === undefined) return;
    this.ledger.ask(id, said, this.#numbers.get(tab.socket) ?? 0);
    this.send(tab, { type: "user_message", id, payload: said });
  }

  /** Anything else than a message, or the same again. */
  order(tab: Tab, id: string, type: OrderType, payload: any, known?: Order): void {
    if (!tab.live) return;
    const question = this.ledger.conversation.questionOf(payload.message_id);
    if (known === undefined) this.ledger.orders.ask(id, type, payload, question);
    this.send(tab, { type, id, payload });
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

  /** So much time goes by that what was sent under its id before may be taken as new. */
  forgetIds(): void {
    this.ledger.ageIds();
    this.keys = [];
  }

  /** The disk has everything that was said to be written. */
  writeAll(): void {
    this.workshop.writing = false;
    this.world.releaseDisk();
  }

  /** The alarm rings; one that it sets is never one that should have rung already. */
  ring(): void {
    this.afterwards.push(...this.#promises.expectOfAlarm());
    this.world.ring();
    // At once: what it deleted is held against the runs that were unfinished then.
    this.ledger.audit(this.world, this.workshop);
    this.ledger.auditAll(this.world);
    this.afterwards.push(() => {
      const { alarm, now } = this.world;
      insist(alarm === undefined || alarm > now, "no alarm is set in the past", { alarm, now });
    });
  }

  /** The instance and its sockets are gone in the same moment. */
  crash(survivors: ModelSocket[] = []): void {
    this.workshop.release();
    this.workshop.writing = false;
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
      this.#promises.digest();
      this.ledger.audit(this.world, this.workshop);
      this.#promises.insistOnLife();
      if (!this.#answer()) break;
      await this.world.settle();
    }
    this.#promises.insist();
    if (this.world.failed) for (const tab of this.tabs) tab.orphan();
    this.world.failed = false;
    this.excuses.clear();
    this.ledger.rest();
    this.world.calm();
  }

  /** Everybody comes back, everything in progress ends, and all agree on what was said. */
  async end(): Promise<void> {
    this.workshop.release();
    this.writeAll();
    // A clock that was set back is put right in the end: until then nobody has been silent for long.
    this.world.advance(this.set_back_ms);
    for (let round = 0; round < 5; round += 1) {
      this.world.advance(61_000);
      if (this.world.alarm !== undefined) this.ring();
      await this.settle();
    }
    for (const tab of this.tabs) {
      tab.acking = true;
      if (!tab.live) this.connect(tab);
      insist(tab.live, "whoever comes back gets in, whatever has happened", tab.name);
      await this.settle();
    }
    this.ledger.auditAll(this.world);
    const fresh = new Tab("fresh", new Sdk());
    this.connect(fresh);
    await this.settle();
    fresh.digest(() => {});
    this.#promises.insistOnEnd(fresh);
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
    const remembered = survivors.filter(({ open }) => open).map(({ ack }) => ack);
    this.ledger.acked = Math.max(Number(last?.acked ?? 0), ...remembered);
  }

  /** Clients acknowledge what they were handed, and answer a ping. True if anybody did, which may bring more. */
  #answer(): boolean {
    let any = false;
    for (const tab of this.tabs) {
      if (!tab.live || !tab.acking || tab.socket === undefined) continue;
      if (tab.pinged) this.send(tab, { type: "pong", payload: {} });
      tab.pinged = false;
      if (tab.socket.ack >= tab.cursor) continue;
      this.ack(tab, tab.cursor);
      any = true;
    }
    return any;
  }
}
