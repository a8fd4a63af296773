/** A TCP relay that can be cut: a network that goes away without a word, between a client and a real server. */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface FlakyNetwork {
  /** The server's address, seen through the relay. */
  readonly url: string;
  /** Breaks every connection and lets no new one through. */
  cut(): void;
  restore(): void;
  close(): Promise<void>;
}

/**
 *     const network = await flakyNetwork(server.url);
 *     network.cut(); // everything that goes through `network.url` is gone
 *     network.restore();
 */
export async function flakyNetwork(target: string): Promise<FlakyNetwork> {
  const sockets = new Set<Socket>();
  let up = true;
  // Without delay on both sides: a relay that collects small frames would add 40 ms to each.
  const relay = createServer({ noDelay: true }, (near) => {
    if (up) join(near, reach(target), sockets);
    else near.destroy();
  });
  const port = await listen(relay);
  const cut = () => {
    up = false;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const restore = () => {
    up = true;
  };
  const close = () => {
    cut();
    return new Promise<void>((resolve) => relay.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, cut, restore, close };
}

function reach(target: string): Socket {
  const { hostname, port } = new URL(target);
  return connect({ port: Number(port), host: hostname, noDelay: true });
}

/** Passes everything on in both directions; when one side is gone, so is the other. */
function join(near: Socket, far: Socket, sockets: Set<Socket>): void {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    sockets.add(from);
    from.pipe(to);
    // The end of a broken connection is told by `close`.
    from.on("error", () => {});
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  }
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
