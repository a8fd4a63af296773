/** What goes wrong on the network, and when, as chance has it. */
import { setTimeout as pause } from "node:timers/promises";
import type { BadNetwork, Lane, Link } from "./bad-network.ts";
import type { Chance } from "./seed.ts";

/** A client notices within 35 s that nothing gets through any more; all of that is to be over before the end. */
const NOTICED_AFTER_MS = 35_500;

export const KINDS = ["fin", "rst", "delay", "hold", "half", "refuse", "swallow"] as const;

type Kind = (typeof KINDS)[number];

/** How often each comes, in shares of the whole. */
const SHARES: readonly Kind[] = [
  ...(["fin", "fin", "rst", "rst", "rst"] as const),
  ...(["delay", "delay", "hold", "hold", "hold"] as const),
  ...(["half", "half", "refuse", "swallow", "swallow"] as const),
];

/** Something that was done to a client's connection, or to everyone's where no client is named. */
export interface Blow {
  readonly kind: Kind;
  readonly client_id?: string;
  readonly at: number;
}

export class Mischief {
  readonly blows: Blow[] = [];
  readonly #network: BadNetwork;
  readonly #luck: Chance;
  readonly #listeners: ReadonlySet<string>;
  #ends_at = 0;
  /** What is still to happen, or to be mended. */
  readonly #pending: Promise<void>[] = [];

  /** @param listeners clients that only listen: what they are sent may be swallowed, what they say need not be missed */
  constructor(network: BadNetwork, luck: Chance, listeners: ReadonlySet<string>) {
    this.#network = network;
    this.#luck = luck;
    this.#listeners = listeners;
  }

  async play(for_ms: number): Promise<void> {
    this.#ends_at = performance.now() + for_ms;
    while (performance.now() < this.#ends_at) {
      await pause(this.#luck.between(100, 450));
      const targets = [...newest(this.#network.links())].filter(
        ([, { up, down }]) => !up.swallows && !down.swallows,
      );
      if (targets.length > 0) this.#strike(this.#luck.pick(SHARES), ...this.#luck.pick(targets));
    }
    await Promise.all(this.#pending);
  }

  #later(ms: number, what: () => void): void {
    this.#pending.push(pause(ms).then(what));
  }

  #strike(kind: Kind, client_id: string, link: Link): void {
    const luck = this.#luck;
    const lane = this.#listeners.has(client_id) ? link.down : luck.pick([link.up, link.down]);
    if (kind === "swallow" && performance.now() + NOTICED_AFTER_MS > this.#ends_at) return;
    if (kind === "refuse") return this.#refuse(luck.between(400, 1_500));
    this.blows.push({ kind, client_id, at: performance.now() });
    if (kind === "delay") return slow(link, luck.between(20, 400));
    if (kind === "hold") return this.#hold(lane, luck.between(300, 3_000));
    if (kind === "half") return this.#half(link, lane);
    if (kind === "swallow") return lane.swallow();
    link.cut(kind);
  }

  #refuse(for_ms: number): void {
    this.#network.refuse(true);
    this.blows.push({ kind: "refuse", at: performance.now() });
    this.#later(for_ms, () => {
      this.#network.refuse(false);
      this.blows.push({ kind: "refuse", at: performance.now() });
    });
  }

  #hold(lane: Lane, for_ms: number): void {
    lane.hold();
    this.#later(for_ms, () => lane.heal());
  }

  /** A frame, or the handshake, breaks off in the middle; the end of the connection comes later. */
  #half(link: Link, lane: Lane): void {
    lane.swallow(this.#luck.whole(1, 400));
    this.#later(this.#luck.between(100, 800), () => link.cut("rst"));
  }
}

/** The latest connection of each client: older ones may linger, but nobody is at their end any more. */
function newest(links: readonly Link[]): Map<string, Link> {
  const byClient = new Map<string, Link>();
  for (const link of links) {
    const client_id = new URL(link.path, "http://relay").searchParams.get("client_id");
    if (client_id !== null) byClient.set(client_id, link);
  }
  return byClient;
}

function slow({ up, down }: Link, ms: number): void {
  up.delay(ms);
  down.delay(ms);
}
