/** What is insisted upon around a step and at the end, where it concerns more than one tab or the log. */
import { inProgress } from "../../src/protocol/pure/fold.ts";
import type { History } from "./history.ts";
import { insist, insistOnNoBlame, insistSame } from "./insist.ts";
import { insistOnHole, insistOnLife } from "./reading.ts";
import { shownBy } from "./shown.ts";
import type { ModelSocket } from "./socket.ts";
import type { Tab } from "./tab.ts";

const MINUTE_MS = 60_000;
const SWEEP_MS = 15 * MINUTE_MS;
const GRACE_MS = 30_000;
/** Two alarms are at least so far apart, so that one may be late by as much. */
const PAUSE_MS = 1_000;

const CONNECTIONS = 10;
/** Silent for so long, a socket makes room. */
const SILENT_MS = 90_000;
/** When something was heard is known to within this. */
const HEARD_MS = 5_000;

/** Who is asked has so long to answer. */
const PONG_MS = 10_000;

const BAD_FRAMES = 10;

export class Promises {
  readonly #history: History;
  /** Since when a tab has been behind, and how far it was then. */
  readonly #behind = new Map<Tab, { readonly cursor: number; readonly since: number }>();
  /** When a socket was sent a ping, and how much it had said by then. */
  readonly #asked = new Map<ModelSocket, { readonly at: number; readonly received: number }>();
  /** The latest time there ever was. */
  #latest = 0;

  constructor(history: History) {
    this.#history = history;
  }

  /** Reads what every tab was sent. */
  digest(): void {
    for (const tab of this.#history.tabs) {
      tab.digest((frame) => this.#history.ledger.replied(frame));
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

  insist(): void {
    const { world, ledger, tabs, afterwards } = this.#history;
    for (const tab of tabs) this.#insistOnTab(tab);
    insist(
      world.timers === 0 || ledger.answers.unfinished > 0,
      "without a run there are no timers",
      world.timers,
    );
    this.#insistOnAlarm();
    for (const look of afterwards.splice(0)) look();
  }

  /** The snapshot a socket was just sent, if it was. */
  insistOnSnapshot(socket: ModelSocket): void {
    const { ledger, world } = this.#history;
    const snapshot = socket.frames.findLast(({ type }) => type === "state_snapshot");
    if (snapshot === undefined) return;
    const { as_of_seq } = snapshot.payload;
    insist(as_of_seq === ledger.head, "a snapshot is as of the head", { as_of_seq, head: ledger.head });
    ledger.conversation.insistOnSnapshot(snapshot.payload, ledger.acked, world.now);
  }

  /** @param others sockets of other clients that were open when this one came */
  insistOnRoom(socket: ModelSocket, others: readonly ModelSocket[]): void {
    const { now } = this.#history.world;
    const silent = (ms: number) => others.filter((one) => one.silence(now) >= ms).length;
    const missing = others.length - CONNECTIONS + 1;
    if (socket.closed?.code === 4_005) {
      const full = missing > silent(SILENT_MS + HEARD_MS);
      insist(full, "nobody is turned away while there is room", { missing });
    } else insist(missing <= silent(SILENT_MS - HEARD_MS), "there are ten connections at most", missing);
    const gone = others.filter(({ closed }) => closed?.code === 4_201);
    insist(gone.length <= Math.max(0, missing), "nobody makes room for nothing", gone.length);
    for (const one of gone)
      insist(one.silence(now) >= SILENT_MS - HEARD_MS, "only who is silent makes room", one.silence(now));
  }

  /** Nobody is given anything that has expired, or after their token has, or is told of a hole that is none. */
  insistOnLife(): void {
    const { world, tabs, expiring } = this.#history;
    for (const tab of tabs) {
      const seqs = tab.fresh.splice(0);
      insistOnLife(this.#history, seqs);
      for (const hole of tab.skipped.splice(0)) insistOnHole(this.#history, hole);
      const end = (tab.socket && expiring.get(tab.socket)) ?? Number.POSITIVE_INFINITY;
      const late = seqs.length > 0 && world.now >= end + GRACE_MS;
      insist(!late, "nobody is sent anything after the end of their token", tab.name);
    }
  }

  /** Before the alarm rings: what must have been done about each tab when it has. */
  expectOfAlarm(): (() => void)[] {
    const { tabs } = this.#history;
    return tabs.filter(({ live }) => live).flatMap((tab) => [this.#expectSweep(tab), this.#expectEnd(tab)]);
  }

  /** Who has been silent is asked, and who does not answer is let go. */
  #expectSweep({ name, socket }: Tab): () => void {
    const { now } = this.#history.world;
    if (socket === undefined) return () => {};
    const { pings, received } = socket;
    const asked = this.#asked.get(socket);
    const unanswered = asked !== undefined && asked.received === received && socket.answered_at < asked.at;
    const tooLate = unanswered && now >= asked.at + PONG_MS;
    const silent = !unanswered && socket.silence(now) >= SWEEP_MS + HEARD_MS;
    return () => {
      const { closed } = socket;
      insist(!tooLate || closed !== undefined, "who does not answer is let go", name);
      insist(!silent || closed !== undefined || socket.pings > pings, "who is silent is asked", name);
      if (socket.pings > pings) this.#asked.set(socket, { at: now, received });
    };
  }

  /** Who has taken nothing for a minute, or whose token has ended, is let go. */
  #expectEnd(tab: Tab): () => void {
    const { world, expiring } = this.#history;
    const { socket, name } = tab;
    const stalled = (this.#behind.get(tab)?.since ?? Number.POSITIVE_INFINITY) + MINUTE_MS;
    const end = ((socket && expiring.get(socket)) ?? Number.POSITIVE_INFINITY) + GRACE_MS;
    const over = world.now >= Math.min(stalled, end);
    const facts = { name, now: world.now, stalled, end };
    return () => insist(!over || socket?.closed !== undefined, "whose time is over is let go", facts);
  }

  insistOnEnd(fresh: Tab): void {
    const { ledger, world, tabs } = this.#history;
    insist(ledger.answers.working.length === 0, "every run comes to its end");
    insist(world.timers === 0, "a calm object has no timers", world.timers);
    insist(fresh.cursor === ledger.head, "a fresh client sees everything", fresh.cursor);
    for (const tab of tabs) {
      this.#insistOnSight(tab);
      this.#insistOnView(tab, fresh);
    }
  }

  /** What happened in this step is reason enough. */
  #isExcused(tab: Tab, socket: ModelSocket): boolean {
    const { world, excuses, expiring } = this.#history;
    const code = socket.closed?.code ?? 0;
    if (code === 4_005) return true;
    if (code === 4_007 && Math.floor(world.now / 1_000) < this.#history.not_before) return true;
    if (code === 4_100) return world.now >= (expiring.get(socket) ?? Number.POSITIVE_INFINITY) + GRACE_MS;
    if (code === 4_202) return !tab.acking;
    if (code === 4_201) return !tab.acking || socket.silence(world.now) >= SILENT_MS - HEARD_MS;
    if (code === 4_000 && socket.bad_at.length >= BAD_FRAMES) return true;
    return excuses.has(code);
  }

  #insistOnTab(tab: Tab): void {
    const { ledger } = this.#history;
    if (!tab.live) return;
    tab.insistOnReplies();
    if (!tab.acking) return;
    const { name, cursor } = tab;
    const { head } = ledger;
    insist(tab.replayed, "a replay comes to its end", name);
    insist(cursor === head, "everything reaches every tab", { tab: name, cursor, head });
  }

  #insistOnAlarm(): void {
    const { world, ledger, tabs, set_back_ms, expiring } = this.#history;
    this.#latest = Math.max(this.#latest, world.now);
    const alarm = world.alarm ?? Number.POSITIVE_INFINITY;
    const soon = alarm <= world.now + MINUTE_MS + set_back_ms;
    insist(soon || ledger.answers.unfinished === 0, "a run is looked after within a minute");
    for (const tab of tabs) {
      const { socket, name } = tab;
      if (!tab.live || socket === undefined) continue;
      insist(
        alarm <= this.#latest + SWEEP_MS + PAUSE_MS,
        "a connection is looked after within a sweep",
        name,
      );
      const end = (expiring.get(socket) ?? Number.POSITIVE_INFINITY) + GRACE_MS;
      insist(alarm <= end + PAUSE_MS, "the end of a token is not missed", { name, alarm, end });
      const due = this.#stalledSince(tab) + MINUTE_MS;
      insist(alarm <= due + PAUSE_MS, "who takes nothing is not waited for any longer", { name, alarm, due });
    }
  }

  /** Since when there has been something for a tab that it did not take. */
  #stalledSince(tab: Tab): number {
    const { world, ledger } = this.#history;
    const { cursor } = tab;
    const known = this.#behind.get(tab);
    if (cursor >= ledger.head) this.#behind.delete(tab);
    else if (known?.cursor !== cursor) this.#behind.set(tab, { cursor, since: world.now });
    return this.#behind.get(tab)?.since ?? Number.POSITIVE_INFINITY;
  }

  /** Everything a tab was ever handed is what lies in the log. */
  #insistOnSight(tab: Tab): void {
    const { ledger } = this.#history;
    for (const [seq, text] of tab.handed) {
      const kept = ledger.at(seq)?.frame;
      insist(kept === undefined || kept === text, "all tabs saw the same", { tab: tab.name, seq });
    }
    const shown = shownBy(tab);
    for (const message_id of shown.keys()) {
      const known = ledger.conversation.messages.has(message_id);
      insist(known, "a page drops what was deleted", { tab: tab.name, message_id });
    }
    for (const [message_id, { seq, content }] of ledger.conversation.messages) {
      if (seq <= tab.adopted) continue;
      const said = shown.get(message_id);
      insist(said === content, "a page shows what was said", { tab: tab.name, message_id, said });
    }
  }

  /** A page that was there all the time shows what one that has just been opened does. */
  #insistOnView(tab: Tab, fresh: Tab): void {
    const [mine, theirs] = [tab.sdk?.view.conversation, fresh.sdk?.view.conversation];
    if (mine === undefined || theirs === undefined) return;
    insistSame(mine.threads, theirs.threads, "a page shows every thread, in order");
    const known = new Map(mine.messages.map((message) => [message.message_id, message]));
    for (const message of theirs.messages) {
      const shown = known.get(message.message_id);
      if (shown === undefined && message.seq <= tab.adopted) continue;
      insistSame(shown ?? null, message, "a page shows what a new one shows");
    }
    const { messages } = this.#history.ledger.conversation;
    const gone = mine.messages.find(({ message_id }) => !messages.has(message_id));
    insist(gone === undefined, "a page drops what was deleted", gone);
    const working = mine.runs.filter(inProgress);
    insist(working.length === 0, "a page shows no run that has ended as one in progress", working[0]);
  }
}
