/** The word among these that was probably meant, if there is one that is near. */
export function nearest(word: string, among: Iterable<string>): string | undefined {
  const asked = word.toLowerCase();
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of among) {
    if (Math.abs(candidate.length - asked.length) > 2 || asked.length > 60) continue;
    const distance = distanceBetween(asked, candidate.toLowerCase());
    if (distance <= Math.min(2, Math.floor(asked.length / 2)) && (!best || distance < best.distance))
      best = { word: candidate, distance };
  }
  return best?.word;
}

/** How many letters have to be put in, taken out, changed or swapped with their neighbour. */
function distanceBetween(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? Infinity) + 1 : Infinity;
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, changed, swapped));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? Infinity;
}
