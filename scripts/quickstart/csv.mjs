/**
 * The records of a CSV text (RFC 4180): fields in quotes may hold commas, line ends and doubled quotes.
 * Throws for a quote that stands in the middle of a field or never ends.
 */
export function parseCsv(text) {
  const records = [];
  let record = [];
  let at = 0;
  while (at < text.length) {
    const [field, end] = text[at] === '"' ? quoted(text, at) : plain(text, at);
    record.push(field);
    at = end;
    if (text[at] === ',') {
      at += 1;
      if (at === text.length) record.push('');
      else if (text[at] !== '\r' && text[at] !== '\n') continue;
      else record.push('');
    }
    records.push(record);
    record = [];
    at += text.startsWith('\r\n', at) ? 2 : 1;
  }
  return records;
}

/** The records as objects, named by the first line. */
export function parseCsvObjects(text) {
  const [header = [], ...records] = parseCsv(text.replace(/^\uFEFF/, ''));
  return records.map((record, i) => {
    if (record.length !== header.length)
      throw new Error(`Record ${i + 1} has ${record.length} fields instead of ${header.length}.`);
    return Object.fromEntries(header.map((name, n) => [name, record[n]]));
  });
}

function plain(text, start) {
  let end = start;
  while (end < text.length && !',\r\n'.includes(text[end])) end += 1;
  return [text.slice(start, end), end];
}

function quoted(text, start) {
  let field = '';
  for (let at = start + 1; ;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new Error(`The quote at character ${start} does not end.`);
    field += text.slice(at, quote);
    at = quote + 1;
    if (text[at] === '"') {
      field += '"';
      at += 1;
    } else if (at === text.length || ',\r\n'.includes(text[at])) return [field, at];
    else throw new Error(`At character ${at} a comma or the end of the line is expected.`);
  }
}
