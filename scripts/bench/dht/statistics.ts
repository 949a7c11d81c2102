/** The value below which a part of the samples lies. */
export function quantile(samples: readonly number[], part: number): number {
  if (samples.length === 0) return NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(part * sorted.length));
  return sorted[at] as number;
}

/** The middle of the samples. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** The average. */
export function mean(samples: readonly number[]): number {
  return samples.reduce((sum, each) => sum + each, 0) / samples.length;
}

/** How far the samples lie from their average. */
export function deviation(samples: readonly number[]): number {
  const middle = mean(samples);
  return Math.sqrt(mean(samples.map((each) => (each - middle) ** 2)));
}

/** Half and 99 of 100 are quicker. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/**
 * Medians over rounds, so that one disturbed round changes little.
 * One list of times in milliseconds for each round.
 */
export function latency(rounds: readonly (readonly number[])[]): Latency {
  return {
    p50: median(rounds.map((times) => quantile(times, 0.5))),
    p99: median(rounds.map((times) => quantile(times, 0.99))),
  };
}
