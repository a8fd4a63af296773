/** What a run waits for: approvals, which can be given here, and all else in one calm line each. */
import type { AnswersGiven } from "./answers.ts";
import { type AnswerWait, ApprovalView } from "./approval-view.ts";
import { el } from "./dom.ts";
import type { SeenWait } from "./run-notes.ts";
import { waitText } from "./wait-text.ts";

interface Part {
  readonly element: HTMLElement;
  update(seen: SeenWait, answers: AnswersGiven): void;
}

export class WaitsView {
  readonly element = el("div", { class: "waits" });
  readonly #answer: AnswerWait;
  readonly #parts = new Map<string, Part>();

  constructor(answer: AnswerWait) {
    this.#answer = answer;
  }

  update(waits: readonly SeenWait[], answers: AnswersGiven): void {
    this.#removeOthers(waits);
    for (const seen of waits) {
      const { wait_id } = seen.wait;
      const part = this.#parts.get(wait_id) ?? this.#make(seen);
      part.update(seen, answers);
    }
    this.element.hidden = [...this.#parts.values()].every(({ element }) => element.hidden);
  }

  #make(seen: SeenWait): Part {
    const { wait } = seen;
    const part = wait.kind === "approval" ? approvalPart(wait, this.#answer) : linePart();
    this.#parts.set(wait.wait_id, part);
    this.element.append(part.element);
    return part;
  }

  /** A snapshot can be without what was here. */
  #removeOthers(waits: readonly SeenWait[]): void {
    const known = new Set(waits.map(({ wait }) => wait.wait_id));
    for (const [wait_id, { element }] of this.#parts) {
      if (known.has(wait_id)) continue;
      element.remove();
      this.#parts.delete(wait_id);
    }
  }
}

function approvalPart(wait: SeenWait["wait"], answer: AnswerWait): Part {
  const view = new ApprovalView(wait, answer);
  return {
    element: view.element,
    update: (seen, answers) => view.update(seen, answers.get(wait.wait_id)),
  };
}

function linePart(): Part {
  const element = el("p", { class: "wait" });
  return {
    element,
    update(seen) {
      element.textContent = waitText(seen, new Date());
      element.hidden = element.textContent === "";
    },
  };
}
