/** How much memory the Workers runtime of a dev server holds, as the kernel counts it. */
import { readdirSync, readFileSync } from "node:fs";

/** MiB resident in all `workerd` processes below `pid`. */
export function residentMiB(pid: number | undefined): number {
  const kib = below(pid ?? 0).map((process) => {
    const status = readFileSync(`/proc/${process}/status`, "utf8");
    return /^Name:\s*workerd$/m.test(status) ? Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0) : 0;
  });
  return kib.reduce((sum, one) => sum + one, 0) / 1_024;
}

function below(pid: number): number[] {
  const children = parents()
    .filter(({ parent }) => parent === pid)
    .map((process) => process.pid);
  return [...children, ...children.flatMap(below)];
}

function parents(): { pid: number; parent: number }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The name in parentheses may hold anything; what follows the last one is plain.
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        return [{ pid: Number(name), parent }];
      } catch {
        return [];
      }
    });
}
