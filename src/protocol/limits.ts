/** The limits of the protocol and their defaults (docs/protocol.md#limits). */
import type { Plan } from "./greeting.ts";
import { MAX_FRAME_BYTES } from "./pure/constants.ts";

/** `user_message.content`, UTF-8 bytes. */
export const MAX_CONTENT_BYTES = 32 * 1024;

/** `feedback.comment`, UTF-8 bytes. */
export const MAX_COMMENT_BYTES = 4 * 1024;

/** A thread's title, UTF-16 code units. */
export const MAX_TITLE_CHARS = 200;

/** Of an answer that waits: beside it the arguments must fit. A longer one is told when the run goes on. */
export const MAX_WAITING_TEXT_BYTES = 128 * 1024;

/** All events of one fed run together, as JSON text, UTF-16 code units. */
export const MAX_FED_RUN_CHARS = 4 * 1024 * 1024;

/** The result of a tool, and what answers a wait, UTF-8 bytes of its JSON: shown to people and models, and replayed from the log; all want it small. */
export const MAX_TOOL_RESULT_BYTES = 64 * 1024;

/** Nesting of objects and arrays in a frame; the frame itself is level 1. */
export const MAX_DEPTH = 32;

/** One event in the log, UTF-8 bytes of its frame. */
export const MAX_EVENT_BYTES = 256 * 1024;

/** What a feeder says of one event, and how many events its run may have: with what the server adds it fits the log. */
export const MAX_FED_EVENT_BYTES = MAX_EVENT_BYTES - 2 * 1024;
export const MAX_FED_EVENTS = 1_000;

/** What a remote agent says of usage at once, and what is kept of it while its run waits: one entry for each model and step. */
export const MAX_SAID_USAGE = 50;

/** The text of one answer, UTF-8 bytes; a longer one ends with `finish_reason: "length"`. */
export const MAX_ANSWER_BYTES = 256 * 1024;

/** `state_snapshot`, UTF-8 bytes; older messages are left out first. */
export const MAX_SNAPSHOT_BYTES = 256 * 1024;

/** One page of messages or of an export, UTF-8 bytes; a page that would be larger ends earlier, and has at least one entry. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** The shared state of a user, UTF-8 bytes of its JSON. */
export const MAX_STATE_BYTES = 64 * 1024;

/** Operations in one patch of it. */
export const MAX_PATCH_OPERATIONS = 256;

/** Patches kept for clients that come back; who has missed more of them, or more bytes than the state may have, gets it whole. */
export const KEPT_PATCHES = 200;

/** Messages of the newest thread in a snapshot. */
export const SNAPSHOT_MESSAGES = 50;

/** A cursor at most this far behind is replayed; a farther one is a gap. */
export const REPLAY_WINDOW_EVENTS = 1_000;
export const REPLAY_WINDOW_BYTES = 4 * 1024 * 1024;

/** Sent to one connection and not acknowledged by it; then it gets nothing more until it acknowledges. */
export const WINDOW_EVENTS = 256;
export const WINDOW_BYTES = 1024 * 1024;

/** Runs of a user that have not ended, whatever keeps them: every connection that comes is shown all of them. */
export const MAX_UNFINISHED_RUNS = 100;

/** A connection whose window was full for this long is closed (4202). */
export const STALL_LIMIT_MS = 60_000;

/** Sockets silent for this long make room for a new connection when the limit is reached. */
export const SILENT_AFTER_MS = 90_000;

/** This many bad frames of one connection within `BAD_FRAMES_MS` end it (4000). */
export const MAX_BAD_FRAMES = 10;
export const BAD_FRAMES_MS = 60_000;

/** Of one connection, behind a token that is being looked at: more than the burst of any plan, less than would fill memory. */
export const MAX_WAITING_FRAMES = 256;
export const MAX_WAITING_BYTES = 256 * 1024;

/** Events a user has not acknowledged; other producers than the user are refused beyond (`queue_full`). */
export const QUEUE_EVENTS = 1_000;
export const QUEUE_BYTES = 4 * 1024 * 1024;

/** `data` of one published event, UTF-8 bytes of its JSON; and how many may be published together. */
export const MAX_NOTICE_BYTES = 64 * 1024;
export const MAX_NOTICES = 100;

/** Users that may be sent the same in one request: each is a request of its own to the platform. */
export const MAX_USERS = 100;

/** What may differ per plan; sent in the greeting and in `GET /v1/config`. */
export interface Limits {
  readonly connections: number;
  readonly frame_bytes: number;
  readonly content_bytes: number;
  readonly runs_per_thread: number;
  readonly runs_per_user: number;
  readonly queued_runs_per_thread: number;
  readonly run_steps: number;
  readonly run_ms: number;
  readonly tool_ms: number;
  readonly run_attempts: number;
  /** Rate and burst of one connection; an acknowledgement counts a tenth. */
  readonly commands_per_s: number;
  readonly commands_burst: number;
  /** The same over all connections of a user. */
  readonly user_commands_per_s: number;
  readonly user_commands_burst: number;
  /** What models may cost the user on one UTC day; absent: no limit. */
  readonly tokens_per_day?: number;
  readonly cost_usd_per_day?: number;
}

export const DEFAULT_LIMITS: Limits = {
  connections: 10,
  frame_bytes: MAX_FRAME_BYTES,
  content_bytes: MAX_CONTENT_BYTES,
  runs_per_thread: 1,
  runs_per_user: 4,
  queued_runs_per_thread: 10,
  run_steps: 20,
  run_ms: 45_000,
  tool_ms: 10_000,
  run_attempts: 3,
  commands_per_s: 30,
  commands_burst: 60,
  user_commands_per_s: 60,
  user_commands_burst: 120,
};

/** What each plan is given; who has no plan is on the free one. */
export type Plans = Readonly<Record<Plan, Limits>>;

export const DEFAULT_PLANS: Plans = {
  free: DEFAULT_LIMITS,
  pro: {
    ...DEFAULT_LIMITS,
    connections: 20,
    runs_per_user: 8,
    commands_per_s: 60,
    commands_burst: 120,
    user_commands_per_s: 120,
    user_commands_burst: 240,
  },
  enterprise: {
    ...DEFAULT_LIMITS,
    connections: 50,
    runs_per_user: 16,
    queued_runs_per_thread: 20,
    commands_per_s: 120,
    commands_burst: 240,
    user_commands_per_s: 240,
    user_commands_burst: 480,
  },
};
