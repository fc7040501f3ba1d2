import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of the heap that are really in use: garbage that merely waits to be collected is collected first. */
export function liveHeap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/**
 * Looks at the {@link liveHeap} now and then. In a process that has run many tests before, one look takes seconds: the next one waits at least
 * four times as long, so that there is time for what is watched. `stop` gives by how many bytes it has grown at most.
 */
export function watchHeap(everyMs: number): { stop(): number } {
  const before = liveHeap();
  let peak = 0;
  let timer = setTimeout(look, everyMs);
  function look(): void {
    const startedAt = performance.now();
    peak = Math.max(peak, liveHeap() - before);
    timer = setTimeout(look, Math.max(everyMs, 4 * (performance.now() - startedAt)));
  }
  return {
    stop: () => {
      clearTimeout(timer);
      return peak;
    },
  };
}
