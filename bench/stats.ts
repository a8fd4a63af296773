/** Percentiles and medians of small samples. */

/** The smallest value that at least `share` of the sample do not exceed; undefined if there is none. */
export function percentile(sample: readonly number[], share: number): number | undefined {
  const sorted = sample.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** Half-way between the two in the middle if the sample is even. */
export function median(sample: readonly number[]): number | undefined {
  const sorted = sample.toSorted((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
