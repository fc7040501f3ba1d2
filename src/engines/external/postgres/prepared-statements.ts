/** So many are kept by one session: each costs memory in the process of somebody's server. */
const MAX_PREPARED = 50;

/**
 * Names for statements of a session that are worth to be prepared: those that come a second time. One that comes once (a long filter
 * written once) is not.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  private readonly seenOnce = new Set<string>();

  nameOf(text: string): string | undefined {
    const known = this.names.get(text);
    if (known !== undefined || this.names.size >= MAX_PREPARED) return known;
    if (!this.seenOnce.delete(text)) {
      if (this.seenOnce.size >= MAX_PREPARED) this.seenOnce.clear();
      this.seenOnce.add(text);
      return undefined;
    }
    const name = `live_tables_${this.names.size + 1}`;
    this.names.set(text, name);
    return name;
  }
}
