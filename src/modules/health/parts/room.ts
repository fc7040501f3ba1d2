import type { StatsFs } from 'node:fs';

/** A disk is nearly full when so much of it is used, and when there is less left than a busy database needs for its log: a large one has that in its last hundredths, too. */
const FULL_PERCENT = 95;
const NEEDED_BYTES = 1 << 30;

/** How much a file system holds, and what of it anybody but root may still use; bytes. */
export function roomOf({ blocks, bavail, bsize }: Pick<StatsFs, 'blocks' | 'bavail' | 'bsize'>) {
  const [limit, free] = [blocks * bsize, bavail * bsize];
  const percentage = limit > 0 ? percent(limit - free, limit) : 0;
  return { free, limit, percentage, isFull: percentage >= FULL_PERCENT && free < NEEDED_BYTES };
}

export const percent = (part: number, whole: number): number => Math.round((part / whole) * 1000) / 10;
