/**
 * `npm run bench`: the product beside the bare limits of its platform, both in
 * workerd on this machine, in turn. What counts are the ratios; see docs/bench.md.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { Runner } from "./runner.ts";
import type { Scenario } from "./scenario.ts";
import { memory } from "./scenarios/idle.ts";
import { ack, connect, fanOut, firstDelta } from "./scenarios/latency.ts";
import { busy, crowd, pipelined } from "./scenarios/load.ts";
import { replay, resume } from "./scenarios/resume.ts";
import { rows as rowsWritten } from "./scenarios/rows.ts";
import { size } from "./scenarios/size.ts";
import { turn } from "./scenarios/turn.ts";
import { type Row, rowsOf, table } from "./table.ts";

const SCENARIOS: readonly Scenario[] = [
  rowsWritten,
  connect,
  ack,
  pipelined,
  crowd,
  fanOut,
  turn,
  firstDelta,
  resume,
  replay,
  busy,
  memory,
  size,
];

const USAGE = `npm run bench -- [--quick] [--json] [--only name]…
names: ${SCENARIOS.map(({ name }) => name).join(", ")}
`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    help: { type: "boolean", default: false },
  },
});

const chosen = SCENARIOS.filter(({ name }) => values.only?.includes(name) ?? true);
const unknown = values.only?.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name)) ?? [];

if (values.help || unknown.length > 0) {
  process.stderr.write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  const rows = await measure(chosen);
  const machine = `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "cpu"}`;
  const text = values.json ? JSON.stringify({ machine, quick: values.quick, rows }, null, 2) : table(rows);
  process.stdout.write(`${text}\n`);
}

async function measure(scenarios: readonly Scenario[]): Promise<Row[]> {
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const runner = new Runner({ quick: values.quick, progress });
  try {
    const rows: Row[] = [];
    for (const scenario of scenarios) rows.push(...rowsOf(scenario, await runner.run(scenario)));
    return rows;
  } finally {
    await runner.stop();
  }
}
