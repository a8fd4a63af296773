/**
 * `npm run demo -- "question"`: one question from end to end, over a network that
 * is cut in the middle of the answer. Shows every event as it arrives, that none
 * is missing or doubled afterwards, and the report.
 */
import { parseArgs } from "node:util";
import { type Client, type ClientState, connect } from "../src/client/index.ts";
import type { Event } from "../src/protocol/events.ts";
import { type Output, output } from "./demo-output.ts";
import { startDevServer } from "./dev-server.ts";
import { type FlakyNetwork, flakyNetwork } from "./flaky-network.ts";
import { signIn } from "./sign-in.ts";

const QUESTION = "I'm spending $50k/month on AI infrastructure. Help me optimize costs.";
const OUTAGE_MS = 400;
const PIECES_BEFORE_CUT = 4;
const CONNECT_TIMEOUT_MS = 15_000;
const ANSWER_TIMEOUT_MS = 90_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, url: { type: "string" }, help: { type: "boolean" } },
});

// Whoever reads the output may have had enough of it: `npm run demo -- --json | head`.
process.stdout.on("error", () => process.exit(0));

if (values.help) {
  process.stdout.write('npm run demo -- ["question"] [--json] [--url http://127.0.0.1:8787]\n');
} else {
  const out = output(values.json);
  process.exitCode = await demo(positionals.join(" ") || QUESTION, out).catch((error: unknown) => {
    out.failed(error instanceof Error ? error.message : String(error));
    return 1;
  });
}

async function demo(question: string, out: Output): Promise<number> {
  if (values.url !== undefined) return ask(values.url, question, out);
  out.note("Starting a server with a state of its own …");
  const server = await startDevServer();
  return ask(server.url, question, out).finally(server.stop);
}

async function ask(url: string, question: string, out: Output): Promise<number> {
  const network = await flakyNetwork(url);
  const client = connect({ url: network.url, getToken: () => signIn(url, "demo") });
  const seen: Event[] = [];
  client.on("event", (event) => seen.push(event));
  try {
    await opened(client);
    out.question(question);
    show(client, out);
    cutOnce(client, network, out);
    const { run_id } = await client.send(question);
    const end = await completed(client, run_id);
    out.report(client.conversation.runs.find((run) => run.run_id === run_id));
    return verdict(seen, end, out);
  } finally {
    client.close();
    await network.close();
  }
}

function show(client: Client, out: Output): void {
  client.on("event", (event) => out.event(event));
  client.on("frame", (frame) => {
    if (frame.type === "partial_result") out.text(frame.payload);
  });
  client.on("error", (error) => out.note(`${error.code}: ${error.message}`));
  client.on("state", (state) => describe(state, client, out));
}

function describe(state: ClientState, client: Client, out: Output): void {
  if (state.status === "waiting")
    out.note(`connection lost (${state.reason}), trying again in ${state.retry_in_ms} ms`);
  if (state.status !== "open") return;
  const { resume, replay } = state.greeting;
  const missed = replay === null ? 0 : replay.to - replay.from + 1;
  out.note(`${resume} from seq ${client.conversation.last_seq}: ${missed} events were missed and follow now`);
}

/** Breaks the network for a moment when the first tool is at work, or the answer is under way without any. */
function cutOnce(client: Client, network: FlakyNetwork, out: Output): void {
  let pieces = 0;
  const off = client.on("frame", (frame) => {
    if (frame.type === "partial_result") pieces += 1;
    if (frame.type !== "tool_executing" && pieces < PIECES_BEFORE_CUT) return;
    off();
    out.note(`cutting the network for ${OUTAGE_MS} ms after seq ${client.conversation.last_seq}`);
    network.cut();
    setTimeout(network.restore, OUTAGE_MS);
  });
}

function opened(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`no connection: ${reasonOf(client.state)}`)),
      CONNECT_TIMEOUT_MS,
    );
    client.on("frame", ({ type }) => {
      if (type !== "replay_completed") return;
      clearTimeout(late);
      resolve();
    });
    client.on("state", (state) => {
      if (state.status === "stopped") reject(new Error(`the server said stop: ${state.reason}`));
    });
    client.on("error", (error) => {
      if (!error.retryable) reject(error);
    });
  });
}

function reasonOf(state: ClientState): string {
  return "reason" in state ? state.reason : state.status;
}

function completed(
  client: Client,
  run_id: string | undefined,
): Promise<Extract<Event, { type: "agent_completed" }>> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)),
      ANSWER_TIMEOUT_MS,
    );
    client.on("agent_completed", (event) => {
      if (event.payload.run_id !== run_id) return;
      clearTimeout(late);
      resolve(event);
    });
  });
}

function verdict(
  seen: readonly Event[],
  end: Extract<Event, { type: "agent_completed" }>,
  out: Output,
): number {
  const first = seen[0]?.seq ?? 0;
  const exact = seen.every((event, index) => event.seq === first + index);
  const run = seen.flatMap(({ payload }) =>
    "run_seq" in payload && payload.run_id === end.payload.run_id ? [payload.run_seq] : [],
  );
  const whole = run.every((run_seq, index) => run_seq === index);
  out.verdict({
    events: seen.length,
    exact: exact && whole,
    status: end.payload.status,
    duration_ms: end.payload.duration_ms,
  });
  return exact && whole && end.payload.status === "succeeded" ? 0 : 1;
}
