/** The last place within a tenth of a second is told; nobody follows faster. */
const CURSOR_MS = 100;
/** Without a word of the person for so long he is idle. */
const IDLE_MS = 60_000;
const STIRS = ['keydown', 'pointerdown', 'pointermove'];

/** Tells others where in a table the person is and whether he is at it, and asks them to leave him the cell that he edits. */
export class Whereabouts {
  state = { mode: 'viewing' };
  edited = undefined;
  isIdle = false;

  /** @param news takes a sentence for the person */
  constructor(presence, news) {
    Object.assign(this, { presence, news });
    for (const name of STIRS) document.addEventListener(name, this.stir, { passive: true });
    document.addEventListener('visibilitychange', this.tell);
    this.stir();
    this.tell();
  }

  end() {
    for (const name of STIRS) document.removeEventListener(name, this.stir);
    document.removeEventListener('visibilitychange', this.tell);
    clearTimeout(this.timer);
    clearTimeout(this.rest);
  }

  at(cell, mode) {
    this.state = { mode, cursor: cell };
    this.tell();
    this.hold(mode === 'editing' ? cell : undefined);
  }

  stir = () => {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.become(true), IDLE_MS);
    this.become(false);
  };

  become(isIdle) {
    if (this.isIdle === isIdle) return;
    this.isIdle = isIdle;
    this.tell();
  }

  tell = () => {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const resting = document.hidden ? { mode: 'away' } : this.isIdle ? { mode: 'idle' } : {};
      this.presence.set({ ...this.state, ...resting }).catch(() => undefined);
    }, CURSOR_MS);
  };

  /** Whoever is second learns it before he writes, and may go on: nothing is refused for it. */
  hold(cell) {
    const { locks } = this.presence;
    if (this.edited?.rowId === cell?.rowId && this.edited?.columnKey === cell?.columnKey) return;
    if (this.edited) locks.unlock(this.edited).catch(() => undefined);
    this.edited = cell;
    if (!cell) return;
    locks.lock(cell).then(
      (other) => {
        if (other && this.edited === cell)
          this.news(
            `${other.user.name} is editing this cell, too. Whoever saves second is asked which text is to stay.`,
          );
      },
      () => undefined,
    );
  }
}
