/** Upper bounds of classes of milliseconds; the last class has none. */
export const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const;

/** How many answers took how long, in classes: small enough to be kept for every hour and added up over nodes. */
export type Latencies = number[];

export const noLatencies = (): Latencies => Array.from({ length: BOUNDS_MS.length + 1 }, () => 0);

export function addLatency(to: Latencies, ms: number): void {
  const at = BOUNDS_MS.findIndex((bound) => ms <= bound);
  const index = at < 0 ? BOUNDS_MS.length : at;
  to[index] = (to[index] ?? 0) + 1;
}

/** The bound below which this part of the answers lies; null where there are none. What took longer than all bounds counts as the last. */
export function percentile(latencies: readonly number[], part: number): number | null {
  const all = latencies.reduce((sum, n) => sum + n, 0);
  if (all === 0) return null;
  let seen = 0;
  const at = latencies.findIndex((n) => (seen += n) >= all * part);
  return BOUNDS_MS[at] ?? BOUNDS_MS[BOUNDS_MS.length - 1] ?? null;
}
