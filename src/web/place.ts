/** Which thread this tab shows, remembered for a reload. */
import type { Thread } from "../client/index.ts";
import { keep, recall } from "./browser-storage.ts";

const KEY = "throughline.thread";

export function keepPlace(thread_id: string): void {
  keep("sessionStorage", KEY, thread_id);
}

/** Where this tab was, if that is still there; otherwise the newest. */
export function placeIn(threads: readonly Thread[]): string | undefined {
  const kept = recall("sessionStorage", KEY);
  return (threads.find(({ thread_id }) => thread_id === kept) ?? threads[0])?.thread_id;
}
