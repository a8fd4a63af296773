/** What is kept of a run if it ends now, whoever executes it, and if nobody does. */
import type { Answers } from "./answers.ts";
import type { State } from "./commands/context.ts";
import type { Feeds } from "./feeds.ts";

interface Parts {
  readonly feeds: Feeds;
  readonly answers: Answers;
}

export function soFarOf({ feeds, answers }: Parts): State["soFar"] {
  return (run, tx) => {
    if (run.feed !== undefined) return { content: feeds.textOf(run.run_id, tx), models: [], spent: [] };
    return answers.soFar(run.run_id);
  };
}
