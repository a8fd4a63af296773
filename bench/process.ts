/** What another process has used, from /proc: Linux only, undefined elsewhere. */
import { readdirSync, readFileSync } from "node:fs";

/** Ticks a second, a constant of Linux on every architecture Node runs on. */
const TICKS_PER_S = 100;

/** Fields of /proc/<pid>/stat after the name, which is in parentheses and may hold anything (proc(5)). */
const PPID = 1;
const UTIME = 11;
const STIME = 12;

export function childrenOf(pid: number): number[] {
  return (
    read(() =>
      readdirSync("/proc")
        .filter((entry) => /^\d+$/.test(entry))
        .map(Number)
        .filter((child) => statOf(child)?.[PPID] === pid),
    ) ?? []
  );
}

/** User and system time of all its threads, milliseconds. */
export function cpuMs(pid: number | undefined): number | undefined {
  const stat = pid === undefined ? undefined : statOf(pid);
  if (stat === undefined) return undefined;
  return (((stat[UTIME] ?? 0) + (stat[STIME] ?? 0)) * 1_000) / TICKS_PER_S;
}

/** Memory that would be free without it: what is shared with other processes counts in part. */
export function memoryKib(pid: number | undefined): number | undefined {
  const rollup = read(() => readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
  const pss = rollup?.match(/^Pss:\s+(\d+) kB/m)?.[1];
  return pss === undefined ? undefined : Number(pss);
}

function statOf(pid: number): number[] | undefined {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  return stat
    ?.slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
}

/** A process may end between two looks, and not every system has /proc. */
function read<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
