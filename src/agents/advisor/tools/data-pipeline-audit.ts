/** What incremental processing, colder storage and pruned scans save in data processing. */
import { factorSimulator } from "./factors.ts";

export const dataPipelineAudit = factorSimulator("data_pipeline_audit");
