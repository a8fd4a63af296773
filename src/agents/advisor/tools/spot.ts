/** What interruptions cost, and how often to save work so that they cost least. */

import { percent } from "./savings.ts";

export interface SpotTerms {
  /** Below the on-demand rate, 0 to 1. */
  readonly discount: number;
  /** Hours to write a checkpoint. */
  readonly checkpoint_hours: number;
  /** Mean hours between interruptions. */
  readonly mtbf_hours: number;
  /** Hours to be back at work after one. */
  readonly restart_hours: number;
}

export interface SpotPlan {
  /** Hours from one checkpoint to the next: √(2 × checkpoint × MTBF), after Young. */
  readonly interval_hours: number;
  /** Time spent on checkpoints, lost work and restarts, as a part of useful work. */
  readonly overhead: number;
  /** Of the on-demand cost, 0 to 1. */
  readonly saving: number;
}

/** What to set, and what it costs, in words. */
export function spotNote({ interval_hours, overhead }: SpotPlan) {
  const text = `Checkpoint every ${Math.round(interval_hours * 60)} minutes; lost work and restarts add ${percent(overhead)}`;
  return { lever: "spot", text };
}

export function spotPlan({ discount, checkpoint_hours, mtbf_hours, restart_hours }: SpotTerms): SpotPlan {
  if (!(mtbf_hours > 0)) return { interval_hours: 0, overhead: 0, saving: 0 };
  const interval_hours = Math.sqrt(2 * checkpoint_hours * mtbf_hours);
  const writing = interval_hours > 0 ? checkpoint_hours / interval_hours : 0;
  const overhead = writing + (interval_hours / 2 + restart_hours) / mtbf_hours;
  const left = (1 - discount) * (1 + overhead);
  return { interval_hours, overhead, saving: Math.min(1, Math.max(0, 1 - left)) };
}
