/**
 * One run of an AG-UI agent in the words of ours: given its events one by one, says
 * what a feed would. Whatever the agent sends, and in whatever order, what comes out
 * is a legal run that ends exactly once.
 */
import type { Fed } from "../../protocol/feeding.ts";
import { MAX_FED_RUN_CHARS, MAX_WAITING_TEXT_BYTES } from "../../protocol/limits.ts";
import { fitsBytes } from "../../protocol/primitives.ts";
import { isRecord } from "../../protocol/pure/json.ts";
import { report } from "../../protocol/report.ts";
import type { AgUiEvent } from "./ag-ui-events.ts";
import { AnswerText } from "./answer-text.ts";
import { type Asked, askedIn } from "./asking.ts";
import { broken, type Ending, errored, FULL, finished, type Problem, usageOf } from "./endings.ts";
import { MAX_VALUE_BYTES, RunRecord } from "./run-record.ts";
import { NOTHING } from "./so-far.ts";
import { type PlainEvent, Spelling } from "./spelling.ts";
import { Thoughts } from "./thoughts.ts";
import { ToolCalls } from "./tool-calls.ts";

/** Something that was begun takes memory even if nothing is ever said of it. */
const BEGUN_CHARS = 256;

/** What the run waits for, and what it has cost so far. */
export interface Asking {
  readonly waits: readonly Asked[];
  readonly usage: Ending["usage"];
}

type Content = Extract<PlainEvent, { type: "TEXT_MESSAGE_CONTENT" | "REASONING_MESSAGE_CONTENT" }>;

export class Translation {
  readonly #record: RunRecord;
  readonly #spelling = new Spelling();
  readonly #answer: AnswerText;
  readonly #thoughts: Thoughts;
  readonly #calls: ToolCalls;
  /** Messages that are not of the answer: nobody's, or a subagent's. */
  readonly #aside = new Map<string, "ignored" | "thought">();
  readonly #subagents = new Map<string, string>();
  readonly #activities = new Set<string>();
  /** What was held in memory on the way: bounded like what is recorded. */
  #held = 0;
  #snapshot: unknown;
  #asking: Asking | undefined;
  #ended = false;

  constructor(so_far = NOTHING) {
    this.#record = new RunRecord(so_far);
    this.#answer = new AnswerText((offset, delta) => this.#record.text(offset, delta), so_far.text);
    this.#thoughts = new Thoughts(this.#record);
    this.#calls = new ToolCalls(this.#record, so_far);
  }

  /** The agent wants something answered: the run has not ended, and goes on with another request. */
  get asking(): Asking | undefined {
    return this.#asking;
  }

  /** After that nothing is said any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @param now when it came: the time a call took is measured by it */
  add(event: AgUiEvent, now: number): Fed[] {
    for (const plain of this.#spelling.plain(event)) {
      if (this.#ended) break;
      this.#hold(plain);
      this.#translate(plain, now);
      if (this.#answer.full) this.#end(FULL, now);
      else if (this.#record.full || this.#held > MAX_FED_RUN_CHARS) this.#end(broken(TOO_MUCH), now);
    }
    return this.#record.take();
  }

  /** The stream is over, though the agent has not said that the run is. */
  cut(now: number): Fed[] {
    return this.fail(CUT, now);
  }

  /** What was written until then is kept. */
  fail(problem: Problem, now: number): Fed[] {
    this.#end(broken(problem), now);
    return this.#record.take();
  }

  #translate(event: PlainEvent, now: number): void {
    switch (event.type) {
      case "TEXT_MESSAGE_START":
        return this.#beginMessage(event);
      case "TEXT_MESSAGE_CONTENT":
        return this.#continueMessage(event);
      case "TEXT_MESSAGE_END":
        return this.#endMessage(event.messageId);
      case "REASONING_MESSAGE_START":
        return this.#thoughts.begin("reasoning", event.messageId);
      case "REASONING_MESSAGE_CONTENT":
        return this.#thoughts.add("reasoning", event.messageId, event.delta);
      case "REASONING_MESSAGE_END":
        return this.#thoughts.end("reasoning", event.messageId);
      case "TOOL_CALL_START":
        return this.#calls.begin(event.toolCallId, event.toolCallName);
      case "TOOL_CALL_ARGS":
        return this.#calls.write(event.toolCallId, event.delta);
      case "TOOL_CALL_END":
        return this.#calls.execute(event.toolCallId, now);
      case "TOOL_CALL_RESULT":
        return this.#calls.result(event.toolCallId, event.content, event.error, now);
      case "STEP_STARTED":
        return this.#record.beginStep();
      case "STEP_FINISHED":
        return this.#record.endStep();
      case "ACTIVITY_SNAPSHOT":
        return this.#activity(event.messageId, event.content);
      case "CUSTOM":
        return event.name === "final_report" ? this.#report(event.value) : undefined;
      case "MESSAGES_SNAPSHOT":
        this.#snapshot = event.messages;
        return;
      case "SUBAGENT_STARTED":
        this.#subagents.set(event.subagentRunId, event.name ?? "");
        return;
      case "RUN_FINISHED":
        return this.#finish(event, now);
      case "RUN_ERROR":
        return this.#end(errored(event), now);
      case "RUN_STARTED":
      case "REASONING_START":
      case "REASONING_END":
      case "SUBAGENT_FINISHED":
      case "SUBAGENT_ERROR":
    }
  }

  #hold(event: PlainEvent): void {
    if (/_START(ED)?$/.test(event.type)) this.#held += JSON.stringify(event).length + BEGUN_CHARS;
    if (!("delta" in event)) return;
    this.#held += event.delta.length;
    // What goes on without having begun begins with it.
    if (event.type !== "TOOL_CALL_ARGS" && !this.#isOpen(event)) {
      this.#held += event.messageId.length + BEGUN_CHARS;
    }
  }

  #isOpen({ type, messageId }: Content): boolean {
    if (type === "REASONING_MESSAGE_CONTENT") return this.#thoughts.has("reasoning", messageId);
    return this.#aside.has(messageId) || this.#answer.has(messageId);
  }

  /** The answer is what the agent itself says; what its helpers say to it are thoughts. */
  #beginMessage(event: Extract<PlainEvent, { type: "TEXT_MESSAGE_START" }>): void {
    const { messageId, subagentRunId } = event;
    if ((event.role ?? "assistant") !== "assistant") {
      this.#aside.set(messageId, "ignored");
    } else if (typeof subagentRunId === "string") {
      this.#aside.set(messageId, "thought");
      this.#thoughts.begin("message", messageId, this.#subagents.get(subagentRunId));
    } else this.#answer.begin(messageId);
  }

  #continueMessage({ messageId, delta }: Extract<PlainEvent, { type: "TEXT_MESSAGE_CONTENT" }>): void {
    const aside = this.#aside.get(messageId);
    if (aside === undefined) this.#answer.add(messageId, delta);
    else if (aside === "thought") this.#thoughts.add("message", messageId, delta);
  }

  #endMessage(messageId: string): void {
    if (this.#aside.get(messageId) === "thought") this.#thoughts.end("message", messageId);
    if (!this.#aside.delete(messageId)) this.#answer.end(messageId);
  }

  /** What the agent shows of its work, if it is text, once; what becomes of it is not followed. */
  #activity(id: string, content: unknown): void {
    if (!isRecord(content) || this.#activities.has(id)) return;
    const text = [content.text, content.message, content.title].find((one) => typeof one === "string");
    if (typeof text !== "string" || text.trim() === "") return;
    this.#activities.add(id);
    this.#held += id.length;
    this.#thoughts.say(text);
  }

  #report(value: unknown): void {
    const fitting = report.safeParse(value).data;
    if (fitting === undefined || !fitsBytes(JSON.stringify(fitting), MAX_VALUE_BYTES)) return;
    this.#record.add({ type: "final_report", payload: { step: this.#record.step(), report: fitting } });
  }

  #finish(event: Extract<PlainEvent, { type: "RUN_FINISHED" }>, now: number): void {
    this.#calls.executeAll(now);
    this.#thoughts.close();
    this.#answer.close();
    if (this.#answer.text === "") this.#answer.add("", unstreamed(this.#snapshot, event.result));
    if (!this.#record.full && !this.#answer.full && this.#waits(event)) return;
    // What there was no room for is missing: that is no success.
    const ending = this.#record.full ? broken(TOO_MUCH) : this.#answer.full ? FULL : finished(event);
    this.#end({ ...ending, usage: usageOf(event.usage) }, now);
  }

  /** False if there is nothing to wait for, or no way to. */
  #waits({ outcome, usage }: Extract<PlainEvent, { type: "RUN_FINISHED" }>): boolean {
    // It is written down in what the run waits for, to go on from, with the comma behind it.
    if (!fitsBytes(`${JSON.stringify(this.#answer.text)},`, MAX_WAITING_TEXT_BYTES)) return false;
    const asked = askedIn(
      outcome,
      (id) => this.#calls.open(id),
      () => this.#record.step(),
    );
    if (asked === undefined || !this.#record.waits(asked, this.#answer.text)) return false;
    this.#asking = { waits: asked, usage: usageOf(usage) };
    this.#ended = true;
    return true;
  }

  #end({ ofCall, ...ending }: Ending, now: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#answer.close();
    this.#thoughts.close();
    this.#calls.close(now, ofCall);
    this.#record.add({ type: "agent_completed", payload: { ...ending, content: this.#answer.text } });
  }
}

/** The answer of an agent that does not stream: what it says after the question, or its result. */
function unstreamed(snapshot: unknown, result: unknown): string {
  const messages = Array.isArray(snapshot) ? snapshot.filter(isRecord) : [];
  const question = messages.findLastIndex(({ role }) => role === "user");
  const answers = messages
    .slice(question + 1)
    .filter((one) => one.role === "assistant" && !one.subagentRunId);
  const said = answers.map(({ content }) => content).filter((one) => typeof one === "string" && one !== "");
  if (question !== -1 && said.length > 0) return said.join("\n\n");
  return typeof result === "string" ? result : "";
}

const CUT: Problem = {
  status: "interrupted",
  code: "agent_stream_cut",
  message: "the connection to the agent broke before it had finished",
  retryable: true,
};

const TOO_MUCH: Problem = {
  status: "failed",
  code: "agent_too_much",
  message: "the agent sent more than a run may have",
  retryable: false,
};
