import { Problem } from './errors/index.js';

/** Long work of which few may run at once on a node, and which is done once for all who ask for the same meanwhile. */
export class SharedRuns<T> {
  private readonly running = new Map<string, Promise<T>>();

  /** `busy` tells those that come when `most` run already. */
  constructor(
    private readonly most: number,
    private readonly busy: string,
  ) {}

  /** What `work` gives, or what runs under this key already will give. @throws Problem `overloaded` too many run */
  run(key: string, work: () => Promise<T>): Promise<T> {
    const under = this.running.get(key);
    if (under) return under;
    if (this.running.size >= this.most)
      throw new Problem('overloaded', { detail: this.busy, headers: { 'retry-after': '5' } });
    const run = work().finally(() => this.running.delete(key));
    this.running.set(key, run);
    return run;
  }
}
