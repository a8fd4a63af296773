/** Conversation → what is shown, in order: questions, and the runs that answer them. */
import type { Conversation, Message, Run } from "../client/index.ts";
import type { Pending } from "./pending.ts";

export type Turn =
  | { readonly kind: "question"; readonly key: string; readonly message: Message }
  | {
      readonly kind: "run";
      readonly key: string;
      readonly run: Run | undefined;
      readonly answer: Message | undefined;
    }
  | { readonly kind: "pending"; readonly key: string; readonly pending: Pending };

/** @param pending what is on its way in this thread */
export function turnsOf(view: Conversation, thread_id: string, pending: readonly Pending[]): Turn[] {
  const messages = view.messages.filter((message) => message.thread_id === thread_id);
  const runs = new Map(
    view.runs.filter((run) => run.thread_id === thread_id).map((run) => [run.run_id, run]),
  );
  const answers = new Map(
    messages.filter(({ role }) => role === "assistant").map((message) => [message.run_id, message]),
  );
  const shown = new Set<string>();
  const answering = (run_id: string | undefined): Turn[] => {
    if (run_id === undefined || shown.has(run_id)) return [];
    shown.add(run_id);
    return [{ kind: "run", key: `run ${run_id}`, run: runs.get(run_id), answer: answers.get(run_id) }];
  };
  const stored = messages.flatMap((message): Turn[] => {
    if (message.role === "assistant") return answering(message.run_id);
    return [
      { kind: "question", key: `message ${message.message_id}`, message },
      ...answering(message.run_id),
    ];
  });
  // Runs whose question is not in view: started by a service, or cut off by a snapshot.
  const others = [...runs.keys()].flatMap((run_id) => answering(run_id));
  return [
    ...stored,
    ...others,
    ...pending.map((one): Turn => ({ kind: "pending", key: `pending ${one.key}`, pending: one })),
  ];
}
