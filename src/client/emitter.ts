/** Typed listeners: one set per channel, called in the order they were added. */

export type Listener<Value> = (value: Value) => void;

export class Emitter<Channels extends object> {
  readonly #listeners: { [Name in keyof Channels]?: Set<Listener<Channels[Name]>> } = {};

  /** Returns the function that removes the listener again. */
  on<Name extends keyof Channels>(name: Name, listener: Listener<Channels[Name]>): () => void {
    const listeners: Set<Listener<Channels[Name]>> = this.#listeners[name] ?? new Set();
    this.#listeners[name] = listeners;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  emit<Name extends keyof Channels>(name: Name, value: Channels[Name]): void {
    const listeners: Set<Listener<Channels[Name]>> = this.#listeners[name] ?? new Set();
    // As with `EventTarget`: one added meanwhile waits for the next value, one taken off hears nothing more.
    for (const listener of [...listeners]) if (listeners.has(listener)) call(listener, value);
  }
}

/** A listener that throws harms neither the others nor the connection; its error surfaces as with `EventTarget`. */
function call<Value>(listener: Listener<Value>, value: Value): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
