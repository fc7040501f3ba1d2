import { LiveTables } from './client/index.js';
import { element } from './element.js';
import { Grid } from './grid.js';
import { randomId } from './random-id.js';
import { saveCell } from './saving.js';
import { keepOverReloads } from './session.js';
import { Whereabouts } from './whereabouts.js';

/** Rows that are shown at first, and that come with each wish for more. */
const STEP = 100;
/** Lines of what happened that are kept. */
const MOST_NEWS = 50;

const STATES = {
  connecting: 'Connecting …',
  reading: 'Reading the table …',
  live: 'Live: changes of others appear as they are made.',
  'catching-up': 'Catching up with what was changed meanwhile …',
  reset: 'Reset: the table is read again …',
  offline: 'Offline: this is the table as it was. It goes on by itself when the network is back.',
  ended: 'Ended.',
};

const at = (id) => document.getElementById(id);
const client = new LiveTables({ baseUrl: location.origin, clientId: randomId() });
let chosen = { workspaces: [], bases: [], tables: [] };
/** The live table, and what this page knows of it. */
let open;

const grid = new Grid(at('grid'), {
  onMove: (cell, mode) => open.whereabouts.at({ rowId: cell.rowId, columnKey: cell.key }, mode),
  onSave: (cell, value, baseVersion) => {
    problem('');
    return saveCell({ ...open, column: grid.columnOf(cell.key), news }, cell, value, baseVersion);
  },
  onRefused: problem,
});

// ---- who

at('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  at('sign-in-error').textContent = '';
  try {
    await client.session.login({ email: at('email').value, password: at('password').value });
  } catch (error) {
    at('sign-in-error').textContent = error.message;
    at('password').select();
  }
});
at('sign-out').addEventListener('click', () => void client.session.logout().catch((error) => problem(error.message)));

let user;
function signedIn() {
  const now = client.session.user;
  if (now?.id === user?.id) return;
  user = now;
  choice = undefined;
  at('sign-in').hidden = Boolean(now);
  at('main').hidden = !now;
  at('who').hidden = !now;
  at('me').textContent = now?.name ?? '';
  close();
  problem('');
  if (!now) {
    for (const id of ['workspace', 'base', 'table']) at(id).replaceChildren();
    at('email').focus();
    return;
  }
  at('password').value = '';
  at('main').focus();
  void pickFrom('workspaces');
}

// ---- which table

const LEVELS = {
  workspaces: { select: 'workspace', next: 'bases', read: () => all('GET /workspaces', {}) },
  bases: {
    select: 'base',
    next: 'tables',
    read: (workspaceId) => all('GET /workspaces/{workspaceId}/bases', { workspaceId }),
  },
  tables: { select: 'table', read: (baseId) => all('GET /bases/{baseId}/tables', { baseId }) },
};

async function all(operation, path) {
  const found = [];
  let cursor;
  do {
    const { data, page } = await client.call(operation, { path, query: { limit: 100, ...(cursor && { cursor }) } });
    found.push(...data);
    cursor = page.nextCursor;
  } while (cursor);
  return found;
}

/** The choice that counts: what is read for an earlier one comes too late, whenever it comes. */
let choice;

/** Fills the list of a level and those below it; the address of the page says which was chosen, if it still is there. */
async function pickFrom(level, parent) {
  const mine = (choice = Symbol(level));
  const { select, next, read } = LEVELS[level];
  const list = at(select);
  list.replaceChildren();
  if (next) at(LEVELS[next].select).replaceChildren();
  close();
  try {
    const found = await read(parent);
    if (choice !== mine) return;
    chosen[level] = found;
    list.replaceChildren(...found.map(({ id, name }) => new Option(name, id)));
    const wished = location.hash.slice(1).split('/');
    const wish = found.find(({ id }) => wished.includes(id));
    if (wish) list.value = wish.id;
    if (found.length === 0) problem(`There is nothing to choose here: no ${level} yet.`);
    else await pick(level);
  } catch (error) {
    if (choice === mine) problem(error.message);
  }
}

async function pick(level) {
  problem('');
  const { select, next } = LEVELS[level];
  if (next) await pickFrom(next, at(select).value);
  else show(at(select).value);
}
for (const [level, { select }] of Object.entries(LEVELS)) at(select).addEventListener('change', () => void pick(level));

// ---- the table

function show(id) {
  close();
  const ids = ['workspace', 'base', 'table'].map((select) => at(select).value);
  history.replaceState(null, '', `#${ids.join('/')}`);
  const role = chosen.workspaces.find((workspace) => workspace.id === ids[0])?.role;
  at('doing').hidden = role === 'viewer';
  const live = client.liveTable(id, { most: STEP });
  open = { id, live, table: client.table(id), mayEdit: role !== 'viewer', read: false, asked: false, ends: [] };
  open.whereabouts = new Whereabouts(live.presence, news);
  const on = (source, name, listener) => open.ends.push(source.on(name, listener));
  on(live, 'change', changed);
  on(live, 'state', tellState);
  on(live, 'ended', (error) => error && problem(error.message));
  on(live.presence, 'change', tellPeople);
  on(client.connection, 'up', tellState);
  on(client.connection, 'down', tellState);
  at('news').replaceChildren();
  tellPeople([]);
  tellState();
}

function close() {
  if (!open) return;
  for (const end of open.ends) end();
  open.whereabouts.end();
  open.live.dispose();
  open = undefined;
  at('shown').hidden = true;
  tellState();
}

function changed(change) {
  const { live } = open;
  if (change.kind === 'read') {
    const again = open.read && !open.asked;
    Object.assign(open, { read: true, asked: false });
    const { name, columns } = live.description;
    at('name').textContent = name;
    document.title = `${name} · Live Tables`;
    at('shown').hidden = false;
    grid.draw(
      [...columns].sort((a, b) => a.position - b.position),
      live.rows.values(),
      open.mayEdit,
    );
    if (again) news('The table was read again.');
  } else {
    const mine = change.actor.clientId === client.clientId;
    for (const id of change.created) put(id, { pointOut: !mine });
    for (const id of change.updated) put(id, { pointOut: !mine, actor: change.actor });
    for (const id of change.deleted) grid.remove(id);
    if (!mine) tellChange(change);
  }
  tellCount();
}

/** What of the row is another is found by comparing, since the copy has the new row already. */
function put(id, { pointOut, actor }) {
  const row = open.live.rows.get(id);
  if (!row) return;
  const before = grid.rows.get(id)?.row;
  const keys = before && grid.columns.map(({ key }) => key).filter((key) => !same(before.fields[key], row.fields[key]));
  if (actor) for (const key of keys ?? []) grid.cell(id, key).by = actor.name;
  grid.put(row, { keys, pointOut });
}
const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);

at('more').addEventListener('click', () => {
  open.asked = true;
  open.live.extend(STEP);
});
for (const [id, done] of Object.entries({ undo: 'undone', redo: 'done again' }))
  at(id).addEventListener('click', async () => {
    problem('');
    try {
      await open.table[id]();
      news(`Your last change is ${done}.`);
    } catch (error) {
      problem(error.message);
    }
  });

// ---- what is told

function problem(sentence) {
  at('problem').textContent = sentence;
}

function news(sentence) {
  at('news').append(element('li', sentence));
  while (at('news').children.length > MOST_NEWS) at('news').firstElementChild.remove();
  at('news').scrollTop = at('news').scrollHeight;
}

function tellState() {
  const state = open ? stateOf(open) : undefined;
  at('state').dataset.state = state ?? '';
  at('state').textContent = state ? STATES[state] : '';
}

function stateOf({ live, read, asked }) {
  if (live.state === 'ended') return 'ended';
  if (!client.connection.connected) return read ? 'offline' : 'connecting';
  if (live.state === 'reading') return read && !asked ? 'reset' : 'reading';
  return live.state === 'live' ? 'live' : 'catching-up';
}

function tellCount() {
  const { live } = open;
  at('count').textContent = live.complete ? `${live.rows.size} rows.` : `The first ${live.rows.size} rows.`;
  at('more').hidden = live.complete;
}

function tellChange({ actor, created, updated, deleted }) {
  const count = (rows, verb) =>
    rows.length === 0 ? [] : [`${verb} ${rows.length === 1 ? 'a row' : `${rows.length} rows`}`];
  const [only] = updated;
  const where = updated.length === 1 && created.length + deleted.length === 0 ? ` (row ${grid.numberOf(only)})` : '';
  const did = [...count(created, 'made'), ...count(updated, 'changed'), ...count(deleted, 'deleted')];
  // It was about rows that are not shown.
  if (did.length > 0) news(`${actor.name} ${did.join(', ')}${where}.`);
}

function tellPeople(people) {
  grid.show(people);
  const line = ({ user: { name }, state: { mode, cursor } }) => {
    const column = cursor?.columnKey && grid.columnOf(cursor.columnKey);
    const row = cursor?.rowId ? grid.numberOf(cursor.rowId) : 0;
    const place = column && row ? `“${column.name}” of row ${row}` : '';
    if (mode === 'idle' || mode === 'away') return `${name} (${mode})`;
    if (!place) return name;
    return `${name}: ${mode === 'editing' ? 'is editing' : 'looks at'} ${place}`;
  };
  at('people').replaceChildren(
    ...(people.length === 0 ? [element('li', 'Nobody else.')] : people.map((person) => element('li', line(person)))),
  );
}

client.session.on('change', signedIn);
keepOverReloads(client.session);
if (!client.session.user) {
  at('sign-in').hidden = false;
  at('email').focus();
}
