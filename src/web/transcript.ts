/** The list of turns, kept in step with the conversation: only what changed is touched. */
import { type QuestionActions, QuestionView } from "./question-view.ts";
import { type RunActions, RunView } from "./run-view.ts";
import type { RunTurn, Turn } from "./turns.ts";

/** This close to the end counts as "reading the end": new text then scrolls by itself. */
const NEAR_END_PX = 120;

/** Less than the gap above it, so that nothing of the text before shows. */
const REPORT_MARGIN_PX = 12;

export interface TranscriptOptions {
  readonly list: HTMLElement;
  readonly scroller: HTMLElement;
  /** Brings the reader back to the end. */
  readonly latest: HTMLButtonElement;
  readonly actions: QuestionActions & RunActions;
}

interface Part {
  readonly element: HTMLElement;
  update(turn: Turn): void;
}

export class Transcript {
  readonly #options: TranscriptOptions;
  readonly #parts = new Map<string, Part>();

  constructor(options: TranscriptOptions) {
    this.#options = options;
    options.scroller.addEventListener("scroll", () => this.#showLatest(), { passive: true });
    options.latest.addEventListener("click", () => this.scrollToEnd());
  }

  show(turns: readonly Turn[]): void {
    const { scroller } = this.#options;
    const follow = this.#nearEnd();
    const height = scroller.scrollHeight;
    const keys = new Set(turns.map(({ key }) => key));
    for (const [key, part] of this.#parts) if (!keys.has(key)) this.#remove(key, part);
    turns.forEach((turn, index) => {
      this.#place(turn, index);
    });
    // Where nothing has grown nothing is moved under the eyes of the reader.
    if (follow && scroller.scrollHeight !== height) scroller.scrollTop = this.#restingPoint();
    this.#showLatest();
  }

  scrollToEnd(): void {
    const { scroller } = this.#options;
    scroller.scrollTop = scroller.scrollHeight;
  }

  /** The end; but where the last turn has a report, the place where that begins: it is to be read, not passed over. */
  #restingPoint(): number {
    const { list, scroller } = this.#options;
    const report = list.lastElementChild?.querySelector(".report");
    if (!report) return scroller.scrollHeight;
    const above = report.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    return scroller.scrollTop + above - REPORT_MARGIN_PX;
  }

  #place(turn: Turn, index: number): void {
    const { list } = this.#options;
    const part = this.#parts.get(turn.key) ?? this.#make(turn);
    part.update(turn);
    const present = list.children[index];
    if (present !== part.element) list.insertBefore(part.element, present ?? null);
  }

  #make(turn: Turn): Part {
    const { actions } = this.#options;
    const part = turn.kind === "run" ? runPart(actions) : questionPart(actions);
    this.#parts.set(turn.key, part);
    return part;
  }

  #remove(key: string, part: Part): void {
    part.element.remove();
    this.#parts.delete(key);
  }

  #nearEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#options.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #showLatest(): void {
    this.#options.latest.hidden = this.#nearEnd();
  }
}

function runPart(actions: RunActions): Part {
  const view = new RunView(actions);
  let shown: RunTurn | undefined;
  return {
    element: view.element,
    update(turn) {
      if (turn.kind !== "run") return;
      if (shown === undefined || !sameRun(shown, turn)) view.update(turn);
      shown = turn;
    },
  };
}

const REPLACED = ["run", "answer", "steps", "rating", "note", "usage", "answers"] as const;

/** Everything a run shows is replaced when it changes; only its versions are counted anew each time. */
function sameRun(a: RunTurn, b: RunTurn): boolean {
  const same = REPLACED.every((part) => a[part] === b[part]);
  return same && a.versions?.index === b.versions?.index && a.versions?.ids.length === b.versions?.ids.length;
}

function questionPart(actions: QuestionActions): Part {
  const view = new QuestionView(actions);
  return {
    element: view.element,
    update(turn) {
      if (turn.kind !== "run") view.update(turn);
    },
  };
}
