/** `npm run replay`, as a person runs it: on a file, in a process of its own. */

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { advisor } from "../../src/agents/advisor/advisor.ts";
import { ask, drive } from "../support/drive-agent.ts";

const folder = mkdtempSync(join(tmpdir(), "replay-"));
afterAll(() => rmSync(folder, { recursive: true }));

const RUN_ID = "r_1_recorded";
const NOW = "2026-07-01T12:00:00.000Z";

/** The advisor's answer to a greeting, as a server would have recorded it. */
async function recorded() {
  const input = ask("hello", { run_id: RUN_ID });
  const { thoughts, text, report } = await drive(advisor, input);
  const kinds: [type: string, payload: object][] = [
    ["agent_started", { agent_version: advisor.version, message_id: "m_1_x" }],
    ...thoughts.map((thought): [string, object] => ["agent_thinking", { step: 1, thought }]),
    ["final_report", { step: 2, report }],
    [
      "agent_completed",
      {
        message_id: "a_1_x",
        parent_message_id: "m_1_x",
        status: "succeeded",
        content: text,
        finish_reason: "stop",
        usage: [],
        attempts: 1,
        duration_ms: 5,
      },
    ],
  ];
  const events = kinds.map(([type, payload], run_seq) => ({
    type,
    seq: run_seq + 2,
    payload: {
      run_id: RUN_ID,
      thread_id: "main",
      agent_name: "advisor",
      run_seq,
      timestamp: NOW,
      ...payload,
    },
  }));
  const run = {
    run_id: RUN_ID,
    thread_id: "main",
    agent_name: "advisor",
    agent_version: advisor.version,
    question_id: "m_1_x",
    message_id: "a_1_x",
    state: "ended",
    status: "succeeded",
    attempts: 1,
    accepted_at: NOW,
  };
  return { run, input, events, models: [], complete: true };
}

function fileOf(content: unknown, name = `${randomUUID()}.json`): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

function run(args: readonly string[], keys = ""): Promise<Said> {
  const child = spawn(process.execPath, ["scripts/replay.ts", ...args]);
  let [out, errors] = ["", ""];
  child.stdout.on("data", (data) => {
    out += data;
  });
  child.stderr.on("data", (data) => {
    errors += data;
  });
  child.stdin.end(keys);
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, errors })));
}

const OTHER = `export const advisor = {
  name: "advisor",
  version: "another",
  *run() {
    yield { kind: "think", thought: "something else" };
    return { finish_reason: "stop" };
  },
};`;

describe("npm run replay", () => {
  test("[J5] steps the agent through the file and says that it ends as recorded", async () => {
    const { code, out, errors } = await run([fileOf(await recorded())]);
    expect(errors).toBe("");
    expect(out).toContain(`  1 think "No question about costs."`);
    expect(out).toContain("  2 report ");
    expect(out).toContain("ends as recorded: succeeded, stop");
    expect(code).toBe(0);
  });

  test("[J5] shows one effect with each Enter, and the rest when there is no more input", async () => {
    const { code, out } = await run([fileOf(await recorded()), "--step", "--whole"], "\n\n");
    expect(out).toContain("ends as recorded");
    expect(code).toBe(0);
  });

  test("[J5] ends with 1 where another version of the agent does something else", async () => {
    const agent = fileOf(OTHER, "other.mjs");
    const { code, out } = await run([fileOf(await recorded()), "--agent", agent]);
    expect(out).toContain(`recorded with version ${advisor.version}; this agent is version another`);
    expect(out).toContain("DIVERGED: step 1: the agent wants think");
    expect(code).toBe(1);
  });

  test("[J5] ends with 2, saying why, where there is nothing to replay", async () => {
    const whole = await recorded();
    const of = (more: object) => fileOf({ ...whole, ...more });
    const elsewhere = { run: { ...whole.run, agent_name: "elsewhere" } };
    const reasons: [said: string, ...args: string[]][] = [
      ["usage: "],
      ["usage: ", "a.json", "--nonsense"],
      ["cannot be read", join(folder, "none.json")],
      ["is not JSON", fileOf("<html>")],
      ["is not the journal of a run", fileOf("[]")],
      ["is a refusal: no such run", fileOf({ error: { code: "not_found", message: "no such run" } })],
    ];
    for (const [said, ...args] of reasons) expect(await run(args)).toMatchObject(refusedWith(said));
    const bad: [said: string, more: object][] = [
      ["at run.run_id", { run: { ...whole.run, run_id: 7 } }],
      ["no longer kept", { events: whole.events.slice(2), complete: false }],
      ["events.1 is not an event", { events: [whole.events[0], { type: "later", seq: 3, payload: {} }] }],
      ["no agent here is called elsewhere", elsewhere],
    ];
    for (const [said, more] of bad) expect(await run([of(more)])).toMatchObject(refusedWith(said));
    const none = fileOf("export const nothing = 1;", "none.mjs");
    expect(await run([of({}), "--agent", none])).toMatchObject(refusedWith("exports no agent"));
    expect(await run([of({}), "--agent", join(folder, "gone.mjs")])).toMatchObject(
      refusedWith("cannot be loaded"),
    );
  });
});

function refusedWith(said: string) {
  return { code: 2, out: "", errors: expect.stringContaining(said) };
}
