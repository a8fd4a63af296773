/**
 * `npm run model:mutants [-- NAME…]`: plays the model against each deliberate
 * fault until it is caught, and fails if one is not. Names choose by a part of them.
 */
import { spawn } from "node:child_process";
import type { Mutant } from "../test/model/mutant.ts";
import { MUTANTS } from "../test/model/mutants.ts";

/** A fault that takes longer to find than this is not really looked for. */
const MAX_HISTORIES = 4_000;

/** The same for everybody, so that the table is the same every time. */
const SEED = 20_261_121;

const TOGETHER = 2;

interface Verdict {
  readonly caught: boolean;
  readonly how: string;
}

function play({ name }: Mutant): Promise<Verdict> {
  const child = spawn("vitest", ["run", "--project", "model", "test/model/model.test.ts"], {
    env: {
      ...process.env,
      MUTANT: name,
      MODEL_RUNS: String(MAX_HISTORIES),
      MODEL_SEED: String(SEED),
      NO_COLOR: "1",
    },
  });
  let output = "";
  child.stdout.on("data", (data) => {
    output += String(data);
  });
  child.stderr.on("data", (data) => {
    output += String(data);
  });
  return new Promise((resolve) => {
    child.on("close", () => resolve(verdictOf(output)));
  });
}

function verdictOf(output: string): Verdict {
  const broken = /(?:Broken|TypeError|Error): (.+)\nafter (\d+) histories/.exec(output);
  if (broken !== null) {
    return { caught: true, how: `after ${broken[2]} histories: ${(broken[1] ?? "").slice(0, 90)}` };
  }
  if (/Tests +1 passed/.test(output)) return { caught: false, how: `survived ${MAX_HISTORIES} histories` };
  return { caught: false, how: `did not run: ${output.slice(-400)}` };
}

const wanted = process.argv.slice(2);
const chosen = MUTANTS.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
const queue = [...chosen];
let survived = 0;

async function work(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { caught, how } = await play(next);
    if (!caught) survived += 1;
    console.log(`${caught ? "caught  " : "SURVIVED"}  ${next.name}\n            ${how}`);
  }
}

await Promise.all(Array.from({ length: TOGETHER }, work));
console.log(`${chosen.length - survived} of ${chosen.length} faults caught`);
process.exitCode = survived === 0 ? 0 : 1;
