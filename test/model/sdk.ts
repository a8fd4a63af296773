/** The intake and view of the SDK, fed what a tab is sent: it must come to what the tab comes to. */
import type { Conversation } from "../../src/protocol/pure/conversation.ts";
import { blame } from "./insist.ts";

/** By name, not by type: the SDK is written against a browser's globals, the model against a Worker's. */
const SOURCES = import.meta.glob<any>(
  "../../src/client/{acks,emitter,frames,intake,outbox,pace,recovery,view}.ts",
  { eager: true },
);

const { Acks, Emitter, parseFrame, Intake, Outbox, Pace, Recovery, View } = Object.assign(
  {},
  ...Object.values(SOURCES),
);

interface Seen {
  readonly conversation: Conversation;
  readonly cursor: { readonly epoch: string; readonly seq: number } | undefined;
}

const nothing = () => {};

/** Nothing is ever due: what the SDK does in time is tested with it. */
const setTimer = () => nothing;

export class Sdk {
  readonly view: Seen = new View();
  /** Seqs of the events the application was handed, in order. */
  readonly handed: number[] = [];
  readonly #intake: any;

  constructor() {
    const emitter = new Emitter();
    const environment = { now: () => 0, setTimer, uuid: () => "resync" };
    const gaveUp = (reason: string) => blame("the SDK is content with what it is sent", reason);
    const link = {
      send: nothing,
      reconnect: gaveUp,
      stop: gaveUp,
      stable: nothing,
      delayNext: nothing,
      renew: nothing,
    };
    const shared = { environment, link, pace: new Pace(environment.now) };
    emitter.on("event", ({ seq }: { seq: number }) => this.handed.push(seq));
    this.#intake = new Intake({
      emitter,
      view: this.view,
      outbox: new Outbox(shared),
      acks: new Acks(shared),
      recovery: new Recovery({ ...shared, link: { ...link, send: gaveUp } }),
      link,
    });
  }

  take(text: string): void {
    const incoming = parseFrame(text);
    if (incoming?.frame?.type === "connection_established") {
      this.#intake.greeted(incoming.frame);
    } else this.#intake.received(incoming);
  }

  lost(): void {
    this.#intake.lost();
  }

  invalidated(): void {
    this.#intake.invalidated("state_invalidated");
  }
}
