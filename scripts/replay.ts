/**
 * `npm run replay -- FILE [--agent MODULE] [--step] [--whole]`: steps an agent
 * through a recorded run (docs/replay.md). Ends with 1 where it does something
 * else than was recorded, with 2 where there is nothing to replay.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { inspect, parseArgs } from "node:util";
import { agentFor } from "./replay/agents.ts";
import { joined, linesOf } from "./replay/in-words.ts";
import { type Recording, recordingIn, Unusable } from "./replay/recording.ts";
import { replay, type Stepped } from "./replay/stepping.ts";
import { verdictOf } from "./replay/verdict.ts";

const USAGE = "usage: npm run replay -- FILE [--agent MODULE] [--step] [--whole]";

async function main(): Promise<number> {
  const { file, agent: path, step, whole } = wanted();
  const recording = recordingIn(jsonIn(file), file);
  const agent = await agentFor(recording.run.agent_name, path);
  for (const line of about(recording, agent.version)) console.log(line);
  const replayed = await replay(recording, agent);
  await show(joined(replayed.steps), { step, whole });
  if (replayed.bug !== undefined) console.log(`thrown: ${inspect(replayed.bug)}`);
  const { diverged, text } = verdictOf(recording, replayed);
  console.log(text);
  return diverged ? 1 : 0;
}

function wanted() {
  const { positionals, values } = parsed();
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new Unusable(USAGE);
  return { file, agent: values.agent, step: values.step, whole: values.whole };
}

function jsonIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new Unusable(`${path} ${cause instanceof SyntaxError ? "is not JSON" : "cannot be read"}`);
  }
}

function parsed() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        agent: { type: "string" },
        step: { type: "boolean", default: false },
        whole: { type: "boolean", default: false },
      },
    });
  } catch {
    throw new Unusable(USAGE);
  }
}

function about({ run, input, models, events, complete }: Recording, version: string): string[] {
  const state = run.status ?? run.state;
  const recorded = run.agent_version ?? version;
  return [
    `run ${run.run_id} by ${run.agent_name} ${recorded}: ${state}, attempts: ${run.attempts}`,
    `${events.length} events, ${models.length} answers of models${complete ? "" : "; not all there is"}`,
    ...(recorded === version ? [] : [`recorded with version ${recorded}; this agent is version ${version}`]),
    `question: ${JSON.stringify(input.question)}`,
    "",
  ];
}

/** All at once, or one more with each Enter. */
async function show(steps: readonly Stepped[], { step, whole }: { step: boolean; whole: boolean }) {
  const keyboard = step ? createInterface({ input: process.stdin }) : undefined;
  const enters = keyboard?.[Symbol.asyncIterator]();
  for (const one of steps) {
    for (const line of linesOf(one, whole)) console.log(line);
    await enters?.next();
  }
  keyboard?.close();
  console.log("");
}

try {
  process.exitCode = await main();
} catch (cause) {
  if (!(cause instanceof Unusable)) throw cause;
  console.error(cause.message);
  if (cause.cause !== undefined) console.error(cause.cause);
  process.exitCode = 2;
}
