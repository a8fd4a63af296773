/** The connection's state in the header, with a countdown to the next attempt. */
import type { ClientState } from "../client/index.ts";
import { button, el } from "./dom.ts";
import { reasonText } from "./format.ts";

export class StatusView {
  readonly #element: HTMLElement;
  readonly #text = el("span", { class: "status-text" });
  /** Not read out: a screen reader would count every second. */
  readonly #countdown = el("span", { aria: { hidden: "true" } });
  readonly #again: HTMLButtonElement;
  #ticking: ReturnType<typeof setInterval> | undefined;

  /** @param startAgain makes a new client after the old one has stopped */
  constructor(element: HTMLElement, startAgain: () => void) {
    this.#element = element;
    this.#again = button("Reconnect", "link", startAgain);
    const live = el("span", {}, this.#text);
    live.setAttribute("role", "status");
    element.append(
      el("span", { class: "dot", aria: { hidden: "true" } }),
      live,
      this.#countdown,
      this.#again,
    );
    this.idle("");
  }

  /** There is no connection, and none is wanted yet. */
  idle(text: string): void {
    clearInterval(this.#ticking);
    this.#element.dataset.state = "idle";
    this.#text.textContent = text;
    this.#countdown.textContent = "";
    this.#again.hidden = true;
  }

  show(state: ClientState): void {
    clearInterval(this.#ticking);
    this.#element.dataset.state = state.status;
    this.#element.title = "reason" in state ? `${reasonText(state.reason)}${codeOf(state)}` : "";
    this.#text.textContent = textOf(state);
    this.#countdown.textContent = "";
    this.#again.hidden = state.status !== "stopped";
    if (state.status === "waiting") this.#countDown(performance.now() + state.retry_in_ms);
  }

  #countDown(until: number): void {
    const tick = () => {
      const left_s = Math.ceil((until - performance.now()) / 1_000);
      this.#countdown.textContent = left_s > 0 ? `in ${left_s} s` : "";
    };
    tick();
    this.#ticking = setInterval(tick, 250);
  }
}

function textOf(state: ClientState): string {
  switch (state.status) {
    case "connecting":
      return state.attempt === 1 ? "Connecting…" : "Reconnecting…";
    case "open":
      return "Online";
    case "waiting":
      return "Reconnecting";
    case "stopped":
      return `Disconnected: ${reasonText(state.reason)}`;
  }
}

function codeOf(state: ClientState): string {
  return "code" in state && state.code !== undefined ? ` (${state.code})` : "";
}
