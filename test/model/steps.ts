/** What happens in practice, one small step each. `a` and `b` choose among what there is, so that a shortened history still makes sense. */
import { History } from "./history.ts";
import { insist } from "./insist.ts";
import { MISHAPS } from "./mishaps.ts";
import { PEOPLE } from "./people.ts";
import { chosen, insistOnRefusal, type Play, publish } from "./play.ts";
import { insistOnPage } from "./reading.ts";
import { THREADS } from "./threads.ts";
import { principal } from "./world.ts";

export interface Step {
  readonly do: StepName;
  readonly a: number;
  readonly b: number;
}

const DAY_MS = 86_400_000;

/** Plays a history to its end and insists on every promise on the way. */
export async function play(storage: DurableObjectStorage, steps: readonly Step[]): Promise<void> {
  const history = new History(storage);
  for (const { do: name, a, b } of steps) {
    STEPS[name](history, a, b);
    await history.settle();
  }
  await history.end();
}

const STEPS = {
  ...PEOPLE,
  ...MISHAPS,
  ...THREADS,
  /** Comes, comes back, or comes again before the old socket is gone. */
  connect: (h, a) => h.connect(h.tab(a)),
  say: (h, a) => h.say(h.tab(a), false),
  ask: (h, a) => h.say(h.tab(a), true),
  /** Messages of several tabs that arrive together, so that they are one group. */
  group: (h, a, b) => {
    for (let i = 0; i < 2 + (b % 5); i += 1) h.say(h.tab(a + i), i % 3 === 2);
  },
  /** A message again under its id, from any tab: its reply was lost, or so it seemed. */
  again: (h, a, b) => {
    const id = chosen(h.ledger.knownIds, b);
    if (id === undefined) return;
    h.sayAgain(h.tab(a), id);
    if (h.ledger.isErased(id) && h.tab(a).live) insistOnRefusal(h, h.tab(a), "expired");
  },
  /** Twice at once, from two tabs. */
  twice: (h, a) => {
    const id = h.nextId("m");
    for (const tab of [h.tab(a), h.tab(a + 1)]) h.deliver(tab, id, { content: id, respond: false });
  },
  /** Something else under an id that was used: refused, the first one wins. */
  conflict: (h, a, b) => {
    const accepted = h.ledger.knownIds.filter((known) => h.ledger.accepted.has(known));
    const id = chosen(accepted, b);
    const tab = h.tab(a);
    if (id === undefined || !tab.live) return;
    h.send(tab, { type: "user_message", id, payload: { content: "another" } });
    insistOnRefusal(h, tab, h.ledger.isErased(id) ? "expired" : "id_conflict");
  },
  /** A bug in the middle of a group; with an even `b` the command throws again when it is alone. */
  throwing: (h, a, b) => {
    h.world.failingIds = b % 2 === 0 ? [b % 3, 0, b % 3] : [b % 3];
    for (let i = 0; i < 6; i += 1) h.say(h.tab(a + (i >> 1)), false);
  },
  /** The disk refuses an event, or several in a row. */
  failing: (h, a, b) => {
    h.world.failingInserts = 1 + (b % 3);
    h.say(h.tab(a), b % 2 === 0);
    h.say(h.tab(a + 1), false);
  },
  /** It refuses while a run is at work. */
  failing_run: (h, _a, b) => {
    h.world.failingInserts = 1 + (b % 4);
    h.workshop.release();
  },
  /** One in progress, if there is one, or any. */
  cancel: (h, a, b) => {
    const { working, runs } = h.ledger.answers;
    const run_id = (b % 4 > 0 ? chosen(working, b) : undefined) ?? chosen(runs, b) ?? "r_1_x";
    h.order(h.tab(a), h.nextId("c"), "run_cancel", { run_id });
  },
  /** From here on tools wait. */
  shut: (h) => {
    h.workshop.open = false;
  },
  /** A question, and a tool that does not come back. */
  stuck: (h, a, b) => {
    if (b % 2 === 0) h.workshop.open = false;
    else h.workshop.charging = false;
    h.say(h.tab(a), true);
  },
  release: (h) => h.workshop.release(),
  release_one: (h) => h.workshop.releaseOne(),
  ack: (h, a, b) => h.ack(h.tab(a), Math.max(0, h.tab(a).cursor - (b % 4))),
  /** More than it was sent: refused, and the third time the end. */
  ack_ahead: (h, a, b) => {
    const tab = h.tab(a);
    h.excuses.add(4_000);
    h.send(tab, { type: "ack", id: h.nextId("a"), payload: { seq: h.ledger.head + 1 + b } });
    insistOnRefusal(h, tab, "ack_ahead");
  },
  mute: (h, a) => {
    h.tab(a).acking = false;
    h.tab(a).steady = false;
  },
  unmute: (h, a) => {
    h.tab(a).acking = true;
  },
  resync: (h, a) => h.resync(h.tab(a)),
  /** A close that is told. */
  drop: (h, a) => {
    const { socket } = h.tab(a);
    if (socket !== undefined) h.world.drop(socket, true);
    h.tab(a).socket = undefined;
  },
  /** A client gone without a word. */
  vanish: (h, a) => {
    const { socket } = h.tab(a);
    if (socket === undefined) return;
    h.world.drop(socket, false);
    h.ghosts.push(socket);
    h.tab(a).socket = undefined;
  },
  /** The close of sockets that vanished, or were replaced, long ago. */
  late_close: (h) => {
    for (const socket of h.ghosts.splice(0)) h.world.drop(socket, true);
  },
  /** The instance goes, the sockets stay; never while something is at work. */
  evict: (h) => {
    const { working } = h.ledger.answers;
    h.crash(working.length > 0 ? [] : h.world.sockets.filter(({ open }) => open));
  },
  crash: (h) => h.crash(),
  /** Dies while a group is waiting to be committed. */
  crash_before_commit: (h, a, b) => {
    for (let i = 0; i < 3; i += 1) h.say(h.tab(a + i), b % 2 === 0);
    h.crash();
  },
  /** Dies with the commit on disk and not a word said; platforms differ on what becomes of the sockets. */
  crash_after_commit: (h, a, b) => {
    h.socketsSurvive = b % 2 === 0;
    h.world.dyingAfterCommit = true;
    for (let i = 0; i < 1 + (b % 3); i += 1) h.say(h.tab(a + i), b % 5 === 0);
  },
  /** New code: sockets are gone, and their closes are told to an instance that never knew them. */
  deploy: (h) => {
    const gone = h.tabs.flatMap(({ socket }) => socket ?? []);
    h.crash();
    for (const socket of [...gone, ...h.ghosts.splice(0)])
      h.world.session.connections.drop(socket, 1_006, "");
  },
  later: (h, _a, b) => h.world.advance(chosen([1, 39, 40, 41, 500, 9_000], b) ?? 0),
  /** Alarms may be late. */
  no_alarm: (h) => h.world.advance(91_000),
  /** The clock is set back, as clocks are. */
  earlier: (h, _a, b) => {
    const back = chosen([1, 1_000, 600_000], b) ?? 0;
    h.world.now -= back;
    h.set_back_ms += back;
  },
  alarm: (h, _a, b) => {
    h.world.advance(chosen([0, 10_000, 61_000, 900_000], b) ?? 0);
    h.ring();
  },
  /** When it was set for. */
  punctual: (h) => {
    const wait_ms = Math.max(0, (h.world.alarm ?? 0) - h.world.now);
    if (wait_ms > DAY_MS) h.forgetIds();
    h.world.advance(wait_ms);
    h.ring();
  },
  /** A token that soon ends. */
  expiring: (h, a) => h.connect(h.tab(a), { exp_s: 60 }),
  /** Long enough for retention. */
  month: (h) => {
    h.forgetIds();
    h.world.advance(32 * DAY_MS);
    h.ring();
    h.ledger.erasures.insistOnEnd(h.world, h.ledger.head);
  },
  /** Nothing runs for a month, not even alarms. */
  outage: (h) => {
    h.forgetIds();
    h.world.now += 32 * DAY_MS;
    h.crash();
    h.ring();
  },
  /** An upgrade that was overtaken: an older attempt of a client that is connected. */
  late_upgrade: (h, a) => {
    const tab = h.tab(a);
    const { socket } = tab;
    if (!tab.live || socket === undefined || tab.epoch === undefined) return;
    const late = h.upgrade(tab.client_id, tab.n - 1, { epoch: tab.epoch, since: `${tab.cursor}` }, DAY_MS);
    insist(late.closed?.code === 4_006, "an older attempt is turned away", late.closed);
    insist(socket.open, "an older attempt turns nobody out", tab.name);
    h.ghosts.push(late);
  },
  /** Another epoch, another time, or no position at all. */
  odd_cursor: (h, a, b) => {
    const tab = h.tab(a);
    const epoch = tab.epoch ?? "none";
    const odd = [
      { epoch: "another", since: "1" },
      { epoch, since: `${h.ledger.head + 5}` },
      { epoch, since: "-1" },
      { epoch, since: "1e309" },
    ];
    h.connect(tab, chosen(odd, b) ?? {});
    const resume = tab.socket?.frames[0]?.payload.resume;
    insist(resume !== "resumed", "an odd cursor is never resumed", chosen(odd, b));
  },
  publish: (h, _a, b) => publish(h, 1 + (b % 3), b % 2 === 0 ? {} : { ttl_s: 5 }),
  /** More than a window holds, or most of what the queue does. */
  publish_many: (h, _a, b) => publish(h, b % 4 === 1 ? 700 : 270),
  /** Nobody acknowledges, and there is nearly as much as the queue holds. */
  hoard: (h) => {
    for (const tab of h.tabs) {
      tab.acking = false;
      tab.steady = false;
    }
    publish(h, 900);
  },
  /** A tab that stops acknowledging just when there is more than its window holds. */
  overwhelm: (h, a) => {
    h.tab(a).acking = false;
    h.tab(a).steady = false;
    publish(h, 270);
  },
  /** Reads on from where everything was read, without a socket. */
  read: (h, _a, b) => {
    const since = Math.max(0, h.ledger.head - (b % 5));
    const who = principal(h.world.now, 60);
    const page = h.world.session.requests.readEvents(who, { since, limit: 100 });
    const signedOut = who.iat < h.not_before;
    insist(page.ok !== signedOut, "who has signed out reads nothing, others do", signedOut);
    if (!page.ok) return;
    insistOnPage(h, since, page.value.events);
    h.acknowledged(since);
  },
  invalidate: (h) => {
    h.excuses.add(4_300);
    const before = h.epoch();
    insist(h.world.session.invalidate().ok === (before !== undefined), "only who exists is invalidated");
    insist(before === undefined || h.epoch() !== before, "invalidating gives the log another epoch");
  },
} satisfies Record<string, Play>;

export type StepName = keyof typeof STEPS;

/** What happens often is often there. */
const OFTEN: readonly StepName[] = [
  "connect",
  "connect",
  "connect",
  "say",
  "say",
  "group",
  "ask",
  "ask",
  "again",
  "throwing",
  "stuck",
  "stuck",
  "cancel",
  "regenerate",
  "delete_thread",
  "late",
  "release_one",
  "expiring",
  "renew",
  "tear",
  "publish_many",
  "no_alarm",
  "punctual",
  "punctual",
  "evict",
  "evict",
  "evict",
  "crash",
];

export const STEP_NAMES: readonly StepName[] = [...(Object.keys(STEPS) as StepName[]), ...OFTEN];
