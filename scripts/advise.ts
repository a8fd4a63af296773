/**
 * What the advisor answers, without a server:
 *
 *     npm run advise -- "We spend $50k a month on AI" "what about caching?"
 *     npm run advise -- "Where can we save?" --data test/fixtures/usage/gpu-inventory.csv
 *     npm run advise -- --docs      writes the samples of docs/advisor.md anew
 *
 * Several questions are one conversation.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { advisor } from "../src/agents/advisor/advisor.ts";
import type { AgentInput, HistoryMessage } from "../src/agents/agent.ts";
import type { Effect } from "../src/agents/effects.ts";
import type { ToolCall, ToolOutcome } from "../src/agents/tool.ts";

const DOCS = "docs/advisor.md";
const SAMPLE = /(<!-- sample: (.+?)(?: \| data: (\S+))? -->\n)[\s\S]*?(<!-- end -->)/g;

async function answerTo(input: AgentInput): Promise<string> {
  const generator = advisor.run(input);
  let text = "";
  let step = generator.next();
  while (!step.done) {
    const effect: Effect = step.value;
    if (effect.kind === "text") text += effect.delta;
    step = generator.next(
      effect.kind === "tools"
        ? await Promise.all(effect.calls.map((call) => outcomeOf(call, input)))
        : undefined,
    );
  }
  return text;
}

async function outcomeOf(call: ToolCall, input: AgentInput): Promise<ToolOutcome> {
  const args: unknown = JSON.parse(JSON.stringify(call.args));
  const result = await call.execute(args, {
    input,
    signal: new AbortController().signal,
    progress: () => {},
  });
  return { status: "ok", result: JSON.parse(JSON.stringify(result)) };
}

/** The answer to the last of the questions. */
async function converse(questions: readonly string[], file?: string): Promise<string> {
  const history: HistoryMessage[] = [];
  const data = file === undefined ? {} : { data: { text: readFileSync(file, "utf8") } };
  let last = "";
  for (const question of questions) {
    const at = { run_id: "r", thread_id: "main", now: "2026-07-01T12:00:00.000Z", max_steps: 20 };
    last = await answerTo({ ...at, question, history: [...history], ...data });
    history.push({ role: "user", content: question }, { role: "assistant", content: last });
  }
  return last;
}

async function withSamples(docs: string): Promise<string> {
  let written = docs;
  for (const [all, start = "", questions = "", file, end = ""] of docs.matchAll(SAMPLE)) {
    const quoted = (await converse(questions.split(" → "), file)).trim().replaceAll(/^/gm, "> ");
    written = written.replace(all, () => `${start}${quoted.replaceAll(/ +$/gm, "")}\n${end}`);
  }
  return written;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: "string" }, docs: { type: "boolean" } },
});
if (values.docs) writeFileSync(DOCS, await withSamples(readFileSync(DOCS, "utf8")));
else process.stdout.write(await converse(positionals, values.data));
