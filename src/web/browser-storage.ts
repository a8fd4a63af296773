/** The browser's storage, which may be blocked: the page then simply forgets. */

/** Undefined if there is nothing under `key`, or no storage at all. */
export function recall(storage: "localStorage" | "sessionStorage", key: string): string | undefined {
  try {
    return window[storage].getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function keep(storage: "localStorage" | "sessionStorage", key: string, value: string): void {
  try {
    window[storage].setItem(key, value);
  } catch {
    // Blocked or full: nothing here is worth failing for.
  }
}
