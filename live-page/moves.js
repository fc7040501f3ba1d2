/** Where a key leads from `td`: an element of one of the `lines`, whose cells 1 to `width` can be moved to; undefined where the key does not move. */
export function elementAt(lines, td, { key, ctrlKey, metaKey }, width) {
  const tr = td.parentElement;
  const far = ctrlKey || metaKey;
  const rows = [...lines];
  const step = (n) => rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(tr) + n))];
  const places = {
    ArrowLeft: [tr, td.cellIndex - 1],
    ArrowRight: [tr, td.cellIndex + 1],
    ArrowUp: [step(-1), td.cellIndex],
    ArrowDown: [step(1), td.cellIndex],
    PageUp: [step(-10), td.cellIndex],
    PageDown: [step(10), td.cellIndex],
    Home: [far ? rows[0] : tr, 1],
    End: [far ? rows.at(-1) : tr, width],
  };
  if (!Object.hasOwn(places, key)) return undefined;
  const [line, index] = places[key];
  return line.cells[Math.min(width, Math.max(1, index))];
}
