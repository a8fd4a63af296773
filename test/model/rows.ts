/** Events as they lie on disk. */
import type { World } from "./world.ts";

export interface Row {
  readonly seq: number;
  /** When it was written, milliseconds since the epoch. */
  readonly at: number;
  readonly type: string;
  readonly acked: number;
  readonly expires_at: number | null;
  readonly frame: string;
}

export function select(world: World, where: string): Row[] {
  return world
    .rows(`SELECT seq, at, type, acked, expires_at, frame FROM events ${where} ORDER BY seq`)
    .map((row) => ({
      seq: Number(row.seq),
      at: Number(row.at),
      type: String(row.type),
      acked: Number(row.acked),
      expires_at: row.expires_at === null ? null : Number(row.expires_at),
      frame: String(row.frame),
    }));
}
