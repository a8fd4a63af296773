/** Reading the log without a socket: what it says from a position on, and that the reader has all before it. */
import { REPLAY_WINDOW_BYTES } from "../protocol/limits.ts";
import { utf8Length } from "../protocol/primitives.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { Log } from "./log.ts";
import { Passage } from "./passage.ts";
import type { EventPage, EventQuery } from "./rpc.ts";

/** One answer is held in memory whole. */
const PAGE_BYTES = REPLAY_WINDOW_BYTES / 4;

/** Rows held beside it: an event may have 256 KiB. */
const BATCH_EVENTS = 16;

/**
 * The frames after `since`, at most `limit` events of them and about 1 MiB. To
 * read on from a position is to have everything up to it: it counts as an
 * acknowledgement.
 */
export function readEvents(
  log: Log,
  epoch: string | undefined,
  query: EventQuery,
  now: number,
): Result<EventPage> {
  const { since, limit } = query;
  if (query.epoch !== undefined && query.epoch !== epoch) {
    return refuse("state_invalidated", "this position belongs to another epoch; begin anew", {
      field: "epoch",
    });
  }
  if (since > log.head) {
    return refuse("ack_ahead", `the newest event is ${log.head}`, { field: "since", limit: log.head });
  }
  log.acknowledge(since);
  const page = collect(log, since, limit, now);
  const more = page.position < log.head ? { next: page.position } : {};
  return ok({ ...(epoch === undefined ? {} : { epoch }), head_seq: log.head, events: page.frames, ...more });
}

function collect(log: Log, since: number, limit: number, now: number) {
  const frames: string[] = [];
  let bytes = 0;
  const passage = new Passage(since, {
    event: ({ frame }) => {
      frames.push(frame);
      bytes += utf8Length(frame);
    },
    hole: (hole) => frames.push(JSON.stringify({ type: "events_skipped", payload: hole })),
  });
  let left = limit;
  while (left > 0 && bytes < PAGE_BYTES && passage.position < log.head) {
    const count = Math.min(left, BATCH_EVENTS);
    const rows = log.after(passage.position, count);
    for (const row of rows) {
      if (bytes < PAGE_BYTES) passage.pass(row, now);
    }
    if (rows.length < count && bytes < PAGE_BYTES) passage.skip(log.head, "trimmed");
    left -= rows.length;
  }
  passage.end();
  return { frames, position: passage.position };
}
