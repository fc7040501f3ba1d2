/**
 * Which of many things failed the last time, too. What fails once may just be in use, in the middle of a structure change or a long import;
 * what fails twice in succession is an operator's matter.
 */
export class FailingTwice {
  private readonly failed = new Set<string>();

  worked(key: string): void {
    this.failed.delete(key);
  }

  /** Notes a failure. @returns whether it is the second one in succession, or a later one */
  again(key: string): boolean {
    const before = this.failed.has(key);
    this.failed.add(key);
    return before;
  }
}
