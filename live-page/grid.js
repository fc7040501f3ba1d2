import { fieldFor, howEdited, shown, toggled, valueOf } from './cells.js';
import { element } from './element.js';
import { elementAt } from './moves.js';

const CHANGED_MS = 2_000;
const THEIRS = 'theirs';

/**
 * The grid: a table of cells of which one is in the tab order at a time (the ARIA pattern "grid"). It shows rows that it is given, and tells what the
 * person does: `onMove(cell, mode)` with mode `viewing` or `editing`, and `onSave(cell, value)`, a promise that is rejected with an `Error` whose
 * sentence is shown while the person goes on editing.
 */
export class Grid {
  columns = [];
  rows = new Map();
  mayEdit = false;
  /** Cells by row and column; `at` is the one in the tab order. */
  cells = new Map();
  at = undefined;
  editing = undefined;
  /** What is being saved and has not come back yet, by cell: value, text, and a promise of the version that the row gets by it. */
  saving = new Map();
  people = [];

  constructor(table, { onMove, onSave, onRefused }) {
    Object.assign(this, { table, onMove, onSave, onRefused });
    table.addEventListener('keydown', (event) => this.key(event));
    table.addEventListener('dblclick', (event) => this.cellOf(event.target) && this.begin(this.cellOf(event.target)));
    table.addEventListener('focusin', (event) => {
      const cell = this.cellOf(event.target);
      if (cell && event.target === cell.td) this.moved(cell);
    });
  }

  /** Shows these columns and rows instead of what there was; the cell that was in use is so again, if it is still there. */
  draw(columns, rows, mayEdit) {
    const typing = this.editing && { ...this.editing, text: this.editing.td.firstElementChild?.value };
    const had = this.at && { ...this.at, focused: this.table.contains(document.activeElement) };
    Object.assign(this, { columns, mayEdit, editing: undefined, at: undefined });
    this.cells.clear();
    this.rows.clear();
    const head = element('tr');
    head.append(
      ...['#', ...columns].map((column) => {
        if (column === '#') return element('th', '#', { scope: 'col' });
        const cell = element('th', column.name, { scope: 'col' });
        cell.append(
          element('span', howEdited(column) === 'not' ? `${column.type}, read only` : column.type, { class: 'type' }),
        );
        return cell;
      }),
    );
    const thead = element('thead');
    thead.append(head);
    this.body = element('tbody');
    this.table.replaceChildren(thead, this.body);
    this.table.setAttribute('aria-readonly', String(!mayEdit));
    for (const row of sorted(rows)) this.body.append(this.line(row));
    this.number();
    const again = (had && this.cell(had.rowId, had.key)) ?? this.cells.values().next().value;
    if (again) this.enter(again, had?.focused === true);
    this.show(this.people);
    if (typing) this.goOn(typing);
  }

  /** Opens the field again that was open when all was drawn anew, with what was typed and what that was based on. */
  goOn({ rowId, key, base, text }) {
    const cell = this.cell(rowId, key);
    if (!cell || text === undefined) return;
    this.begin(cell);
    if (this.editing !== cell) return;
    cell.td.firstElementChild.value = text;
    cell.base = base;
  }

  /** One row that came, changed (`keys`: only these columns are pointed out) or went. */
  put(row, { keys, pointOut }) {
    const known = this.rows.get(row.id);
    if (!known) {
      const next = [...this.rows.keys()].filter((id) => id > row.id).sort()[0];
      this.body.insertBefore(this.line(row), next === undefined ? null : this.rows.get(next).tr);
      if (!this.at) this.enter(this.cell(row.id, this.columns[0]?.key));
      this.number();
    } else known.row = row;
    for (const column of this.columns) this.paint(this.cell(row.id, column.key));
    if (pointOut) for (const place of this.places(row.id, keys)) highlight(place);
  }

  remove(rowId) {
    const known = this.rows.get(rowId);
    if (!known) return;
    const mine = this.at?.rowId === rowId;
    const focused = known.tr.contains(document.activeElement);
    const next = mine && (known.tr.nextElementSibling ?? known.tr.previousElementSibling)?.dataset.row;
    if (this.editing?.rowId === rowId) this.editing = undefined;
    for (const column of this.columns) this.cells.delete(`${rowId} ${column.key}`);
    known.tr.remove();
    this.rows.delete(rowId);
    this.number();
    if (!mine) return;
    const { key } = this.at;
    this.at = undefined;
    if (next) this.enter(this.cell(next, key), focused);
  }

  /** Where the others are. */
  show(people) {
    this.people = people;
    for (const { td } of this.cells.values()) {
      td.classList.remove(THEIRS);
      td.removeAttribute('data-who');
      td.removeAttribute('aria-description');
    }
    for (const { user, state } of people) {
      const td = this.cell(state.cursor?.rowId, state.cursor?.columnKey)?.td;
      if (!td) continue;
      const says = state.mode === 'editing' ? `${user.name} is editing` : user.name;
      const who = td.dataset.who ? `${td.dataset.who}, ${says}` : says;
      td.classList.add(THEIRS);
      td.dataset.who = who;
      td.setAttribute('aria-description', `Here: ${who}`);
    }
  }

  /** Number of the row in the grid, from 1, as people speak of it. */
  numberOf(rowId) {
    return this.rows.get(rowId)?.tr.rowIndex ?? 0;
  }

  columnOf(key) {
    return this.columns.find((column) => column.key === key);
  }

  cell(rowId, key) {
    return this.cells.get(`${rowId} ${key}`);
  }

  cellOf(target) {
    const td = target.closest('td');
    return td && this.cell(td.parentElement.dataset.row, td.dataset.key);
  }

  line(row) {
    const tr = element('tr', '', { 'data-row': row.id });
    tr.append(element('th', '', { scope: 'row' }));
    for (const column of this.columns) {
      const readOnly = String(!this.mayEdit || howEdited(column) === 'not');
      const td = element('td', '', {
        role: 'gridcell',
        tabindex: '-1',
        'data-key': column.key,
        'aria-readonly': readOnly,
      });
      tr.append(td);
      const cell = { td, rowId: row.id, key: column.key };
      this.cells.set(`${row.id} ${column.key}`, cell);
    }
    this.rows.set(row.id, { tr, row });
    for (const column of this.columns) this.paint(this.cell(row.id, column.key));
    return tr;
  }

  number() {
    for (const [n, tr] of [...this.body.rows].entries()) tr.cells[0].textContent = String(n + 1);
    this.table.setAttribute('aria-rowcount', String(this.body.rows.length + 1));
  }

  paint(cell) {
    if (this.editing === cell) return;
    const saved = this.saving.get(cell.td);
    cell.td.classList.toggle('saving', saved !== undefined);
    cell.td.textContent = saved?.text ?? shown(this.valueOf(cell), this.columnOf(cell.key));
  }

  /** What the person takes the cell to hold: what is being saved, or else what the row has. */
  valueOf(cell) {
    const saved = this.saving.get(cell.td);
    return saved ? saved.value : this.rows.get(cell.rowId).row.fields[cell.key];
  }

  places(rowId, keys) {
    if (!keys) return [this.rows.get(rowId).tr];
    return keys.map((key) => this.cell(rowId, key)?.td).filter(Boolean);
  }

  enter(cell, focus = false) {
    if (!cell) return;
    if (this.at) this.at.td.tabIndex = -1;
    this.at = cell;
    cell.td.tabIndex = 0;
    if (focus) cell.td.focus();
  }

  moved(cell) {
    this.enter(cell);
    this.onMove(cell, 'viewing');
  }

  key(event) {
    const cell = this.cellOf(event.target);
    if (!cell || event.isComposing) return;
    if (event.target !== cell.td) {
      this.keyWhileEditing(event);
      return;
    }
    const to = this.target(cell, event);
    if (to) {
      event.preventDefault();
      this.enter(to, true);
      return;
    }
    if (!this.editable(cell) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === 'F2' || event.key === ' ') {
      event.preventDefault();
      this.begin(cell);
    } else if (event.key === 'Delete' && howEdited(this.columnOf(cell.key)) === 'field') {
      event.preventDefault();
      void this.save(cell, null, '');
    } else if (event.key.length === 1) {
      event.preventDefault();
      this.begin(cell, event.key);
    }
  }

  keyWhileEditing(event) {
    if (event.key === 'Escape') {
      event.preventDefault();
      this.stop();
    } else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') {
      event.preventDefault();
      const cell = this.editing;
      void this.commit();
      if (event.key === 'Tab' && !this.editing)
        this.enter(this.target(cell, { key: event.shiftKey ? 'ArrowLeft' : 'ArrowRight' }), true);
    }
  }

  /** The cell that a key leads to. */
  target({ td }, key) {
    const to = elementAt(this.body.rows, td, key, this.columns.length);
    return to && this.cellOf(to);
  }

  editable(cell) {
    return cell.td.getAttribute('aria-readonly') === 'false';
  }

  /** Opens the field of a cell, or ticks it. `typed` is what is there instead of the value. */
  begin(cell, typed) {
    if (!this.editable(cell) || this.editing === cell) return;
    if (this.editing) void this.commit();
    // What is in the other field cannot be saved as it is.
    if (this.editing) return;
    const column = this.columnOf(cell.key);
    const { row } = this.rows.get(cell.rowId);
    const value = this.valueOf(cell);
    if (howEdited(column) === 'toggle') {
      if (typed === undefined) void this.save(cell, toggled(value, column), shown(toggled(value, column), column));
      return;
    }
    const input = fieldFor(value, column);
    input.setAttribute('aria-label', `${column.name}, row ${this.numberOf(cell.rowId)}`);
    input.dir = 'auto';
    if (typed !== undefined && ['text', 'textarea'].includes(input.type)) input.value = typed;
    this.editing = cell;
    // What the change is based on is what the person sees now.
    cell.base = row.version;
    cell.td.replaceChildren(input);
    input.focus();
    // Out of the field is saved as well; Escape and Enter have closed it by then.
    input.addEventListener('blur', () => this.editing === cell && void this.commit());
    this.enter(cell);
    this.onMove(cell, 'editing');
  }

  /** Saves what is in the field; where that is refused here or by the server, the field is open again. */
  async commit() {
    const cell = this.editing;
    const input = cell?.td.firstElementChild;
    if (!input) return;
    const column = this.columnOf(cell.key);
    let value;
    try {
      value = valueOf(input, column);
    } catch (error) {
      input.setAttribute('aria-invalid', 'true');
      this.onRefused(error.message);
      return;
    }
    const before = this.valueOf(cell) ?? null;
    const text = input.value;
    this.stop();
    if (value === before) return;
    if (!(await this.save(cell, value, shown(value, column), cell.base))) this.reopen(cell, text);
  }

  reopen(cell, text) {
    // Somewhere else by now, or the row is gone.
    if (this.at !== cell || this.editing || !this.rows.has(cell.rowId)) return;
    this.begin(cell);
    const input = cell.td.firstElementChild;
    if (!input) return;
    input.value = text;
    input.setAttribute('aria-invalid', 'true');
  }

  /** Whether it was saved, or given up knowingly. */
  async save(cell, value, text, base = this.rows.get(cell.rowId).row.version) {
    const own = { text, value, version: this.sent(cell, value, base, this.saving.get(cell.td)?.version) };
    this.saving.set(cell.td, own);
    this.paint(cell);
    try {
      await own.version;
      return true;
    } catch (error) {
      this.onRefused(error.message);
      return false;
    } finally {
      if (this.saving.get(cell.td) === own) this.saving.delete(cell.td);
      if (this.rows.has(cell.rowId)) this.paint(cell);
    }
  }

  /** One save of a cell after the other: whoever writes twice in a hurry is in no conflict with himself. */
  async sent(cell, value, base, earlier) {
    const version = await earlier?.catch(() => undefined);
    return this.onSave(cell, value, Math.max(base, version ?? 0));
  }

  /** Closes the field. */
  stop() {
    const cell = this.editing;
    if (!cell) return;
    const focused = cell.td.contains(document.activeElement);
    this.editing = undefined;
    this.paint(cell);
    if (focused) cell.td.focus();
    else this.onMove(cell, 'viewing');
  }
}

function highlight(place) {
  place.classList.add('changed');
  setTimeout(() => place.classList.remove('changed'), CHANGED_MS);
}

/** In the order in which rows were made, as the API lists them: their ids are in it. */
const sorted = (rows) => [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
