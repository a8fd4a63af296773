/** Coming back: how long it takes, what is sent twice, what is lost. */
import { setTimeout as pause } from "node:timers/promises";
import type { Cursor, Kind } from "../dialects.ts";
import { Peer, seqOf, tokenOf } from "../peer.ts";
import type { Candidate } from "../runtime.ts";
import type { Findings, Scenario } from "../scenario.ts";
import { median } from "../stats.ts";
import { answerOf } from "../workers/words.ts";

const DELTAS = 200;
const AWAY_MS = 150;

export const resume: Scenario = {
  name: "resume",
  against: "durable",
  rounds: 3,
  lines: [
    {
      what: "resume in mid-turn: time, p50",
      finding: "time",
      unit: "ms",
      bar: { kind: "ratio", at_most: 1.2 },
    },
    {
      what: "resume in mid-turn: events sent again",
      finding: "again",
      unit: "events",
      bar: { kind: "value", at_most: 0 },
    },
    {
      what: "resume in mid-turn: characters of text sent again",
      finding: "text",
      unit: "characters",
      bar: { kind: "none" },
    },
    {
      what: "resume in mid-turn: events or text lost",
      finding: "lost",
      unit: "events",
      bar: { kind: "value", at_most: 0 },
    },
  ],
  async measure(candidate, { quick, id }) {
    const count = quick ? 1 : 5;
    const found: Findings[] = [];
    for (let index = 0; index < count; index += 1) {
      found.push(await comeBack(candidate, `resume-${id}-${index}`));
    }
    const all = (name: string) => found.flatMap((one) => one[name] ?? []);
    const sum = (name: string) => all(name).reduce((total, value) => total + value, 0);
    return { time: median(all("time")), text: median(all("text")), again: sum("again"), lost: sum("lost") };
  },
};

export const replay: Scenario = {
  name: "replay",
  against: "durable",
  rounds: 3,
  lines: [
    {
      what: "resume of 1,000 missed events: time, p50",
      finding: "time",
      unit: "ms",
      bar: { kind: "value", at_most: 250 },
    },
    {
      what: "resume of 1,000 missed events: lost or doubled",
      finding: "wrong",
      unit: "events",
      bar: { kind: "value", at_most: 0 },
    },
  ],
  async measure(candidate, { quick, id }) {
    const token = await tokenOf(`replay-${id}`);
    const writer = await Peer.open(candidate, token);
    const begin = writer.cursor;
    const written = writer.next("ack", 1_000);
    writer.sayAll(1_000, "a message of ordinary length, as people write them");
    await written;
    const cursor = { epoch: writer.epoch, seq: begin.seq };
    writer.drop();
    const times: number[] = [];
    let wrong = 0;
    for (let index = 0; index < (quick ? 3 : 10); index += 1) {
      const reader = new Reader(cursor);
      const begun = performance.now();
      const peer = await Peer.open(candidate, token, cursor, reader.read);
      times.push(performance.now() - begun);
      peer.drop();
      wrong += reader.again + reader.lost + (cursor.seq + 1_000 - reader.seq);
    }
    return { time: median(times), wrong };
  },
};

/** A tab that loses its connection in the middle of an answer. */
async function comeBack(candidate: Candidate, user: string): Promise<Findings> {
  const token = await tokenOf(user);
  const reader = new Reader({ epoch: undefined, seq: 0 });
  const first = await Peer.open(candidate, token, undefined, reader.read);
  const middle = first.next("delta", 10);
  first.say("tell me a story", { deltas: DELTAS, pace_ms: 5 });
  await middle;
  first.drop();
  await pause(AWAY_MS);
  const begun = performance.now();
  const second = await Peer.open(candidate, token, { epoch: first.epoch, seq: reader.seq }, reader.read);
  const time = Math.max(performance.now(), reader.set_at) - begun;
  await second.next("done");
  second.drop();
  const { again, resent, lost, text } = reader;
  return { time, again, text: resent, lost: lost + (text === answerOf(DELTAS) ? 0 : 1) };
}

/** Follows the log and the answer across connections, as an application would. */
class Reader {
  seq: number;
  text = "";
  again = 0;
  lost = 0;
  /** Characters that were sent although they were there already. */
  resent = 0;
  /** When the text was last set as a whole, milliseconds of `performance.now()`: only then is the view complete. */
  set_at = 0;

  constructor({ seq }: Cursor) {
    this.seq = seq;
  }

  readonly read = (kind: Kind, frame: string): void => {
    if (kind === "delta") this.#delta(JSON.parse(frame));
    if (kind === "ready") return;
    // A bare object sends the others what its sender knows from the acknowledgement.
    const seq = kind === "ack" ? JSON.parse(frame).seq : seqOf(frame);
    if (seq === undefined) return;
    if (seq <= this.seq) this.again += 1;
    else this.lost += seq - this.seq - 1;
    this.seq = Math.max(this.seq, seq);
  };

  /** A delta of the product, or of a bare object, which puts nothing around it. */
  #delta(frame: { payload?: Delta } & Delta): void {
    const { mode, text = "", offset = 0, delta = "" } = frame.payload ?? frame;
    if (mode === "set") this.set_at = performance.now();
    const [at, piece] = mode === "set" ? [0, text] : [offset, delta];
    this.resent += Math.max(0, Math.min(this.text.length, at + piece.length) - at);
    if (at > this.text.length) this.lost += 1;
    this.text = this.text.slice(0, at) + piece;
  }
}

interface Delta {
  readonly mode?: "set";
  readonly text?: string;
  readonly offset?: number;
  readonly delta?: string;
}
