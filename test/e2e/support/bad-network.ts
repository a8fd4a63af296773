/**
 * A TCP relay that does what networks do: it breaks connections with and without
 * a word, delays, holds back, delivers half a frame, swallows everything, and
 * refuses. Each connection through it is a `Link` and is treated by itself.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { Lane } from "./lane.ts";

export type { Lane } from "./lane.ts";

export interface Link {
  /** The path and query of the latest request on it; empty before one has come. */
  readonly path: string;
  /** What the client sends. */
  readonly up: Lane;
  /** What it is sent. */
  readonly down: Lane;
  /** Ends both sides: in order (FIN) or at once (RST). */
  cut(how: "fin" | "rst"): void;
}

export interface BadNetwork {
  /** The server's address, seen through the relay. */
  readonly url: string;
  /** The connections that are up, or seem to be. */
  links(): readonly Link[];
  /** While true, new connections are reset. */
  refuse(on: boolean): void;
  /** From here on an ordinary network. What was swallowed is gone all the same. */
  heal(): void;
  close(): Promise<void>;
}

/**
 *     const network = await badNetwork(server.url);
 *     for (const link of network.links()) link.down.swallow();
 *     network.heal();
 */
export async function badNetwork(target: string): Promise<BadNetwork> {
  const links = new Set<RelayLink>();
  let refusing = false;
  // Without delay on both sides: a relay that collects small frames would add 40 ms to each.
  const relay = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    if (refusing) return void near.resetAndDestroy();
    const link = new RelayLink(near, reach(target), () => links.delete(link));
    links.add(link);
  });
  const port = await listen(relay);
  return {
    url: `http://127.0.0.1:${port}`,
    links: () => [...links],
    refuse: (on) => {
      refusing = on;
    },
    heal: () => {
      refusing = false;
      for (const { up, down } of links) for (const lane of [up, down]) lane.heal();
    },
    close: () => {
      for (const link of links) link.cut("rst");
      return new Promise((resolve) => relay.close(() => resolve()));
    },
  };
}

const REQUEST = /^GET (\S+) HTTP/;

class RelayLink implements Link {
  readonly up: Lane;
  readonly down: Lane;
  readonly #ends: readonly [Socket, Socket];
  #path = "";

  constructor(near: Socket, far: Socket, gone: () => void) {
    this.#ends = [near, far];
    this.up = new Lane(near, far);
    this.down = new Lane(far, near);
    // An upgrade may follow other requests on the same connection.
    near.on("data", (chunk: Buffer) => {
      this.#path = REQUEST.exec(chunk.toString("latin1"))?.[1] ?? this.#path;
    });
    let left = this.#ends.length;
    for (const end of this.#ends) {
      // Whatever went wrong with it, `close` follows.
      end.on("error", () => {});
      end.on("close", () => {
        left -= 1;
        if (left === 0) gone();
      });
    }
  }

  get path(): string {
    return this.#path;
  }

  cut(how: "fin" | "rst"): void {
    for (const end of this.#ends) {
      if (how === "rst") end.resetAndDestroy();
      else end.destroySoon();
    }
  }
}

function reach(target: string): Socket {
  const { hostname, port } = new URL(target);
  return connect({ port: Number(port), host: hostname, noDelay: true, allowHalfOpen: true });
}

function listen(relay: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    relay.once("error", reject);
    relay.listen(0, "127.0.0.1", () => {
      const address = relay.address();
      if (address !== null && typeof address === "object") resolve(address.port);
    });
  });
}
