/** Counts what a user's object writes, at the platform's own interface: rows of every statement, and alarms. */
import { runInDurableObject } from "cloudflare:test";
import { stubOf } from "./client.ts";

export interface Meter {
  /** Rows written since the last call, and how many alarms were set: both are billed as rows. */
  read(): { rows: number; alarms: number };
}

export async function meterOf(sub: string): Promise<Meter> {
  const cursors: { rowsWritten: number }[] = [];
  let alarms = 0;
  await runInDurableObject(await stubOf(sub), (_, { storage }) => {
    const { exec } = storage.sql;
    storage.sql.exec = (query: string, ...bindings: unknown[]) => {
      const cursor = exec.call(storage.sql, query, ...bindings);
      cursors.push(cursor);
      return cursor as never;
    };
    const { setAlarm } = storage;
    storage.setAlarm = (at) => {
      alarms += 1;
      return setAlarm.call(storage, at);
    };
  });
  return {
    read() {
      const rows = cursors.splice(0).reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
      const counted = { rows, alarms };
      alarms = 0;
      return counted;
    },
  };
}
