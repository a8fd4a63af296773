/** Steps: what goes wrong below the session: sockets, commits, the disk. */
import type { Play } from "./play.ts";

export const MISHAPS = {
  /** A client gone without a word, and the platform throws at whoever still uses its socket. */
  tear: (h, a, b) => {
    const { socket } = h.tab(a);
    if (socket === undefined) return;
    socket.torn = b % 2 === 0 ? "send" : "all";
    h.world.drop(socket, false);
    h.ghosts.push(socket);
    h.tab(a).socket = undefined;
  },
  /** Everything in a transaction is done, and then it cannot be committed. */
  failing_commit: (h, a, b) => {
    h.world.failingCommits = 1 + (b % 3);
    h.excuses.add(4_204);
    h.say(h.tab(a), b % 2 === 0);
    h.say(h.tab(a + 1), false);
  },
  /** The same to a run at work. */
  failing_commit_run: (h, _a, b) => {
    h.world.failingCommits = 1 + (b % 4);
    h.excuses.add(4_204);
    h.workshop.release();
  },
  /** The disk takes its time: what is accepted is not begun. */
  slow_disk: (h) => {
    h.workshop.writing = true;
    h.world.holdDisk();
  },
  fast_disk: (h) => h.writeAll(),
} satisfies Record<string, Play>;
