/** What clients were told, to be compared with what there is in the end. */
export class History {
  /** Rows by id, with the version that somebody was told they have at least. */
  readonly acknowledged = new Map<string, number>();
  /** For each row that somebody asked for: what it is called, and the ids that were told for it. */
  readonly created = new Map<string, Set<string>>();
  /** Names of calls that make several rows, all of them or none. */
  readonly bulks = new Map<string, number>();
  /** Increments that were answered with success. */
  increments = 0;
  /** Answers by status, and failures without one. */
  readonly answers = new Map<string, number>();
  /** Answers that break a promise by themselves. */
  readonly wrong: string[] = [];
  /** Until a write that something went wrong with was answered in the end, milliseconds. */
  readonly delays: number[] = [];
  repeated = 0;

  count(kind: string): void {
    this.answers.set(kind, (this.answers.get(kind) ?? 0) + 1);
  }

  acknowledge(id: string, version: number): void {
    this.acknowledged.set(id, Math.max(version, this.acknowledged.get(id) ?? 0));
  }
}
