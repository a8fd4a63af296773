#!/usr/bin/env node
/**
 * A little agent that runs here and answers there: it starts a run for a user and
 * feeds its events over HTTP. The user's tabs show it like any other agent. No
 * dependency; Node 20 or newer.
 *
 *     node examples/feeder.mjs --url http://127.0.0.1:8787 --token $SERVICE_TOKEN \
 *       --user u_… --text "How many words are in this sentence?"
 *
 *   --url      the server
 *   --token    a token with the permission `service` (or SERVICE_TOKEN)
 *   --user     whom to answer: a `user_id`
 *   --text     what is asked in the user's stead
 *   --message  instead of --text: the id of a message to answer
 *   --takeover with --message: in the place of whoever is answering it
 *   --thread   where to ask (default: the thread `main`)
 *   --name     what the agent is called (default: counter)
 *   --silent-after-ms  how long this process may be silent before its run is given up (default 10000)
 *   --pause-ms between two words, so that there is something to watch (default 80)
 *
 * In development a service token is had from the server itself:
 *
 *     curl -s $URL/v1/dev/token -H 'Content-Type: application/json' \
 *       -d '{"sub": "feeder", "permissions": ["service"]}'
 */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

const text = { type: "string" };
const { values: args } = parseArgs({
  options: {
    url: { ...text, default: "http://127.0.0.1:8787" },
    token: { ...text, default: process.env.SERVICE_TOKEN },
    user: text,
    text,
    message: text,
    takeover: { type: "boolean" },
    thread: text,
    name: { ...text, default: "counter" },
    "silent-after-ms": { ...text, default: "10000" },
    "pause-ms": { ...text, default: "80" },
  },
});

const RUNS = `${args.url}/v1/users/${args.user}/runs`;
const SILENT_AFTER_MS = Number(args["silent-after-ms"]);
const PAUSE_MS = Number(args["pause-ms"]);

/** A server takes 300 requests a minute about one user. */
const WRITE_EVERY_MS = 250;

/** Tries again what may succeed later; everything sent here is safe to repeat. */
async function post(url, body, headers = {}) {
  for (let wait_ms = 250; ; wait_ms = Math.min(wait_ms * 2, SILENT_AFTER_MS / 4)) {
    const response = await fetch(url, {
      method: "POST",
      headers: { Authorization: `Bearer ${args.token}`, "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    }).catch(() => undefined);
    const answer = await response?.json().catch(() => undefined);
    if (response?.ok && answer !== undefined) return answer;
    if (response !== undefined && response.status < 500 && response.status !== 429) throw refusal(answer);
    const retry_after_s = Number(response?.headers.get("Retry-After") ?? 0);
    await pause(retry_after_s * 1000 || wait_ms * Math.random());
  }
}

function refusal(answer) {
  const { code, message, details } = answer?.error ?? { code: "unknown", message: "the answer is not JSON" };
  return Object.assign(new Error(`${code}: ${message}`), { code, details });
}

/** One run. Its events have numbers, so that a batch whose reply was lost is simply sent again. */
class Feed {
  #events;
  #next = 1;
  #text = "";
  #written = 0;
  #written_at = 0;

  static async start() {
    const { message, takeover, thread } = args;
    const question = message
      ? { message_id: message, ...(takeover && { takeover }) }
      : { content: args.text, ...(thread && { thread_id: thread }) };
    const start = {
      executor: "feed",
      agent_name: args.name,
      silent_after_ms: SILENT_AFTER_MS,
      ...question,
    };
    // The same key for every try: a run whose reply was lost is not started twice.
    const run = await post(RUNS, start, { "Idempotency-Key": randomUUID() });
    return new Feed(run);
  }

  constructor(run) {
    this.run = run;
    this.#events = `${RUNS}/${run.run_id}/events`;
  }

  async event(type, payload) {
    await this.#send([{ type, run_seq: this.#next, payload }]);
    this.#next += 1;
  }

  /**
   * Text is shown at once and kept nowhere: if the server has lost what came before, it gets everything again.
   * A request for each word would soon be one too many.
   */
  async write(piece) {
    this.#text += piece;
    if (Date.now() - this.#written_at < WRITE_EVERY_MS) return;
    this.#written_at = Date.now();
    const delta = this.#text.slice(this.#written);
    const payload = { offset: this.#written, delta };
    const { next_offset } = await this.#send([{ type: "partial_result", payload }]);
    if (next_offset !== this.#text.length) {
      await this.#send([{ type: "partial_result", payload: { mode: "set", text: this.#text } }]);
    }
    this.#written = this.#text.length;
  }

  /** Work that takes its time: says now and then that it is still going on. */
  async while(work) {
    const timer = setInterval(() => this.#send([]).catch(() => {}), SILENT_AFTER_MS / 3);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  async complete() {
    await this.event("agent_completed", { status: "succeeded", content: this.#text });
  }

  #send(events) {
    return post(this.#events, { events });
  }
}

/** The agent itself: thinks, uses a tool, and talks. */
async function answer(feed, question) {
  await feed.event("agent_thinking", { step: 1, thought: "The words have to be counted." });
  const call = { step: 2, tool_call_id: `count-${randomUUID()}`, tool_name: "count_words" };
  await feed.event("tool_executing", { ...call, args: { text: question } });
  const begun = Date.now();
  const words = await feed.while(countWords(question));
  const outcome = { status: "ok", result: { words }, duration_ms: Date.now() - begun };
  await feed.event("tool_completed", { ...call, ...outcome });
  for (const word of `There are ${words} words in what was asked, as far as I can count.`.split(/(?<= )/)) {
    await feed.write(word);
    await pause(PAUSE_MS);
  }
  await feed.complete();
}

async function countWords(question) {
  await pause(PAUSE_MS);
  return question.split(/\s+/).filter(Boolean).length;
}

if (!args.token || !args.user || !(args.text || args.message)) {
  console.error("--token, --user and --text or --message are required; see the beginning of this file");
  process.exit(2);
}

try {
  const feed = await Feed.start();
  console.log(JSON.stringify(feed.run));
  await answer(feed, args.text ?? "");
  console.log("done");
} catch (error) {
  // The user cancelled, or somebody else has the run: there is nothing left to do.
  const ended = error.details?.ended ? ` (the run is ${error.details.status})` : "";
  console.error(`${error.message}${ended}`);
  process.exit(1);
}
