/** What a run waits for: approvals, which can be given here, and all else in one calm line each; and what came of it. */
import type { Wait } from "../client/index.ts";
import type { AnswersGiven } from "./answers.ts";
import { type AnswerWait, ApprovalView, type LoadArgs } from "./approval-view.ts";
import { el } from "./dom.ts";
import { isQuestion } from "./replies.ts";
import { type ReplyTo, ReplyView } from "./reply-view.ts";
import type { SeenWait } from "./run-notes.ts";
import { waitText } from "./wait-text.ts";

interface WaitActions {
  readonly answer: AnswerWait;
  readonly reply: ReplyTo;
  readonly load: LoadArgs;
}

interface Part {
  readonly element: HTMLElement;
  update(seen: SeenWait, answers: AnswersGiven): void;
}

export class WaitsView {
  /** What is open: behind what was said so far. */
  readonly element = el("div", { class: "waits" });
  /** What is over: before what was said since. */
  readonly records = el("div", { class: "waits" });
  readonly #actions: WaitActions;
  readonly #parts = new Map<string, Part>();

  constructor(actions: WaitActions) {
    this.#actions = actions;
  }

  update(waits: readonly SeenWait[], answers: AnswersGiven): void {
    this.#removeOthers(waits);
    for (const seen of waits) {
      const { wait_id } = seen.wait;
      const part = this.#parts.get(wait_id) ?? this.#make(seen);
      const had_focus = part.element.contains(document.activeElement);
      part.update(seen, answers);
      const place = seen.outcome === undefined ? this.element : this.records;
      if (part.element.parentElement === place) continue;
      place.append(part.element);
      place.hidden = false;
      // Whoever was here goes along, rather than to the top of the page.
      if (had_focus) part.element.focus({ preventScroll: true });
    }
    for (const place of [this.element, this.records]) place.hidden = isEmpty(place);
  }

  #make(seen: SeenWait): Part {
    const { wait } = seen;
    const part = this.#partFor(wait);
    this.#parts.set(wait.wait_id, part);
    return part;
  }

  #partFor(wait: Wait): Part {
    const { answer, reply, load } = this.#actions;
    if (wait.kind === "approval") return cardPart(wait, new ApprovalView(wait, answer, load));
    return isQuestion(wait) ? cardPart(wait, new ReplyView(wait, reply)) : linePart();
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

function isEmpty(place: HTMLElement): boolean {
  return [...place.children].every((child) => child instanceof HTMLElement && child.hidden);
}

function cardPart({ wait_id }: Wait, view: ApprovalView | ReplyView): Part {
  return { element: view.element, update: (seen, answers) => view.update(seen, answers.get(wait_id)) };
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
