/** Whether there is room for what others than the user want to add to the log. */
import { QUEUE_BYTES, QUEUE_EVENTS } from "../../protocol/limits.ts";
import { utf8Length } from "../../protocol/primitives.ts";
import { refuse } from "../../protocol/result.ts";
import type { Context } from "./context.ts";

/** Nobody knows when the user will be back; a service that asks this often costs next to nothing. */
const RETRY_AFTER_MS = 60_000;

/**
 * Only others than the user are ever refused: what the user does, and what comes
 * of it, always has room.
 * @param fresh what is to become an event each
 */
export function refuseIfFull({ log, tx }: Context, fresh: readonly unknown[]) {
  const pending = log.weigh(log.acked, tx.nextSeq - 1, tx.now);
  const bytes = fresh.reduce<number>((sum, one) => sum + utf8Length(JSON.stringify(one)), pending.bytes);
  if (pending.events + fresh.length <= QUEUE_EVENTS && bytes <= QUEUE_BYTES) return undefined;
  return refuse("queue_full", `a user may have ${QUEUE_EVENTS} events or ${QUEUE_BYTES} bytes unread`, {
    limit: QUEUE_EVENTS,
    retry_after_ms: RETRY_AFTER_MS,
  });
}
