/**
 * How long a property is tried. The same cases in every run, so that a failure is a regression and not the weather;
 * `FUZZ=20 npx jest …` tries twenty times as many, and others each time.
 */
export function fuzz(numRuns: number): { readonly numRuns: number; readonly seed?: number } {
  const factor = Number(process.env.FUZZ ?? 0);
  return factor > 0 ? { numRuns: numRuns * factor } : { numRuns, seed: 20_261_122 };
}
