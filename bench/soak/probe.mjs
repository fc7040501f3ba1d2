/** Loaded into a node before the server (`--import`, with `--expose-gc`): answers what only the process itself can say. The server knows nothing of it. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import v8 from 'node:v8';
import { serve } from '../children.mjs';

const MB = 2 ** 20;
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

/** Memory in MB, what keeps the process alive by kind, and how late the event loop was since the last look, ms. */
function measure() {
  const lag = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
  globalThis.gc();
  delay.reset(); // the collection just asked for is not the server's
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed / MB, external: external / MB, buffers: arrayBuffers / MB, lag, resources: resources() };
}

/** How many of each kind: timers, sockets, workers … */
function resources() {
  const counted = {};
  for (const kind of process.getActiveResourcesInfo()) counted[kind] = (counted[kind] ?? 0) + 1;
  return counted;
}

/** A heap snapshot for the developer tools of a browser; it takes seconds and twice the memory. */
const snapshot = ({ file }) => v8.writeHeapSnapshot(file);

serve({ measure, snapshot });
