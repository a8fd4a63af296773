/** The structured result of a run: the `report` of `final_report`. */
import * as z from "zod/mini";

const level = z.enum(["low", "medium", "high"]);
const amount = z.number().check(z.gte(0));

export const finding = z.object({
  title: z.string(),
  detail: z.string(),
});

export const recommendation = z.object({
  title: z.string(),
  /** What to do, in order. */
  action_steps: z.array(z.string()).check(z.minLength(1)),
  /** Expected saving per month in `currency`, as a range. */
  monthly_saving_low: amount,
  monthly_saving_high: amount,
  currency: z.string(),
  confidence: level,
  effort: level,
  risk: z.string(),
  /** The figures the saving follows from, and the ids of the assumptions it rests on. */
  evidence: z.string(),
  assumption_ids: z.array(z.string()),
});

export const assumption = z.object({
  /** Short label that recommendations refer to, such as `A1`. */
  id: z.string(),
  text: z.string(),
  /** Where the figure comes from. */
  source: z.string(),
});

export const report = z.object({
  summary: z.string(),
  findings: z.array(finding),
  recommendations: z.array(recommendation),
  assumptions: z.array(assumption),
  /** At most three: what would sharpen the answer most. */
  questions: z.array(z.string()).check(z.maxLength(3)),
});

export type Finding = z.infer<typeof finding>;
export type Recommendation = z.infer<typeof recommendation>;
export type Assumption = z.infer<typeof assumption>;
export type Report = z.infer<typeof report>;
