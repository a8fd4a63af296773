/** Measured times as one line of a log. */

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Such as `n=20 min=12 p50=80 p90=300 p99=440 max=450 ms`. */
export function distribution(times_ms: readonly number[]): string {
  const sorted = [...times_ms].sort((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
  return `n=${sorted.length} min=${at(0)} p50=${at(0.5)} p90=${at(0.9)} p99=${at(0.99)} max=${at(1)} ms`;
}

/** Resolves as soon as `holds`; rejects after `within_ms` with what was still wrong. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  within_ms: number,
  wrong: () => string = () => "it never came true",
): Promise<void> {
  const given_up = performance.now() + within_ms;
  while (!(await holds())) {
    if (performance.now() > given_up) throw new Error(`after ${within_ms} ms: ${wrong()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
