/** What moving work that can wait to a batch interface saves. */
import { factorSimulator } from "./factors.ts";

export const simulateBatch = factorSimulator("simulate_batch");
