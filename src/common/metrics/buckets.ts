/** One line of a histogram as prom-client writes it. */
interface Line {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The measurements under one set of labels. */
class Tally {
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length);
  }

  add(value: number): void {
    this.sum += value;
    this.count++;
    for (let at = 0; at < this.bounds.length; at++)
      if (value <= (this.bounds[at] ?? Infinity)) {
        this.counts[at] = (this.counts[at] ?? 0) + 1;
        return;
      }
  }
}

type Branch = Map<string, Branch | Tally>;

/**
 * A histogram for the path of every request. That of prom-client sorts and hashes the names of labels each time, which costs some
 * microseconds; here labels are positions, and what they lead to is found as it is.
 */
export class Buckets {
  readonly type = 'histogram';
  private readonly root: Branch = new Map();

  constructor(
    readonly name: string,
    readonly help: string,
    private readonly labels: readonly string[],
    private readonly bounds: readonly number[],
  ) {}

  /** @param of values of the labels, in their order */
  add(value: number, of: readonly string[]): void {
    this.tally(of).add(value);
  }

  /** What prom-client's registry asks of a metric. */
  get(): { readonly name: string; readonly help: string; readonly type: string; readonly values: readonly Line[] } {
    return { name: this.name, help: this.help, type: this.type, values: [...this.lines(this.root, {}, 0)] };
  }

  private tally(of: readonly string[]): Tally {
    let branch: Branch = this.root;
    // A histogram without labels has one tally, under no name.
    const path = of.length === 0 ? [''] : of;
    for (let at = 0; ; at++) {
      const name = path[at] ?? '';
      let next = branch.get(name);
      if (next === undefined) {
        next = at === path.length - 1 ? new Tally(this.bounds) : new Map<string, Branch | Tally>();
        branch.set(name, next);
      }
      if (next instanceof Tally) return next;
      branch = next;
    }
  }

  private *lines(branch: Branch, above: Readonly<Record<string, string>>, depth: number): Generator<Line> {
    const label = this.labels[depth];
    for (const [value, next] of branch) {
      const labels = label === undefined ? above : { ...above, [label]: value };
      if (next instanceof Map) yield* this.lines(next, labels, depth + 1);
      else yield* this.linesOf(next, labels);
    }
  }

  /** Buckets count what lies below them, too. */
  private *linesOf({ counts, sum, count }: Tally, labels: Readonly<Record<string, string>>): Generator<Line> {
    const bucket = `${this.name}_bucket`;
    let below = 0;
    for (const [at, bound] of this.bounds.entries()) {
      below += counts[at] ?? 0;
      yield { metricName: bucket, labels: { le: String(bound), ...labels }, value: below };
    }
    yield { metricName: bucket, labels: { le: '+Inf', ...labels }, value: count };
    yield { metricName: `${this.name}_sum`, labels, value: sum };
    yield { metricName: `${this.name}_count`, labels, value: count };
  }
}
