/** Listeners by the name of what happens; `Events` gives each name the type of what it tells. */
export class Emitter<Events extends object> {
  private readonly listeners = new Map<keyof Events, Set<(told: never) => void>>();

  /** Calls `listener` each time; the function that is returned ends that. */
  on<Name extends keyof Events>(name: Name, listener: (told: Events[Name]) => void): () => void {
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(listener));
    return () => void set.delete(listener);
  }

  protected emit<Name extends keyof Events>(name: Name, told: Events[Name]): void {
    // A copy: a listener may end itself or others.
    for (const listener of [...(this.listeners.get(name) ?? [])]) (listener as (told: Events[Name]) => void)(told);
  }
}
