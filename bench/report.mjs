/** The table, on the terminal and in RESULTS.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { median } from './measure.mjs';

const FILE = path.join(import.meta.dirname, 'RESULTS.md');
/** From here on RESULTS.md is written by people; a run keeps it. */
const BY_HAND = '## What is in the way';

const HEAD = ['work', 'ours', 'floor', 'ours ÷ floor', 'by processor time', 'aim', 'rounds'];
const COST_HEAD = [
  'work',
  'our server',
  'floor server',
  'database, ours',
  'database, floor',
  'generator, ours',
  'generator, floor',
];

const digits = (n, places) =>
  n === undefined || Number.isNaN(n)
    ? '–'
    : n.toLocaleString('en-US', { maximumFractionDigits: places, minimumFractionDigits: places });
export const perSecond = (result, unit = '/s') =>
  `${digits(result.perSecond, 0)}${unit}` +
  (result.p50 === undefined ? '' : ` (p50 ${digits(result.p50, 1)}, p99 ${digits(result.p99, 1)} ms)`);
export const milliseconds = (n) => `${digits(n, 1)} ms`;
export const number = digits;

/** The rows of {@link HEAD} for a measured pair. */
export const row = (work, pair, aim, unit) => ({
  cells: [
    work,
    perSecond(pair.ours, unit),
    perSecond(pair.floor, unit),
    digits(pair.ratio, 2),
    digits(pair.cost, 2),
    aim,
    spread(pair.ratios),
  ],
  cost: pair.ours.serverUs === undefined ? undefined : [work, ...costs(pair)],
});

/** The cells of a file of rows that was brought in or out, in so many rounds; the aim is of the ratio and of the memory. */
export function transferRow(work, rounds, count, floorCount, aim) {
  const perSecondOf = (rows, { ms }) => (rows / ms) * 1000;
  const ratios = rounds.map(({ ours, floor }) => perSecondOf(count, ours) / perSecondOf(floorCount, floor));
  const costs = rounds.map(({ ours, floor }) => floor.cpuMs / floorCount / (ours.cpuMs / count));
  const middle = (list) => digits(median(list), 2);
  const rate = (rows, side) =>
    `${digits(median(rounds.map((round) => perSecondOf(rows, round[side]))), 0)} rows/s (${digits(median(rounds.map((round) => round[side].ms)) / 1000, 1)} s)`;
  const grown = Math.max(...rounds.map(({ ours }) => ours.grewMb));
  return {
    cells: [
      work,
      `${rate(count, 'ours')}, RSS +${digits(grown, 0)} MB`,
      rate(floorCount, 'floor'),
      middle(ratios),
      middle(costs),
      aim,
      spread(ratios),
    ],
  };
}

/** The cells of one long work that has no floor: its time, and what the server held more than before. */
export function memoryRow(work, rounds) {
  const times = rounds.map(({ ms }) => ms / 1000);
  const [{ copied }] = rounds;
  const most = Math.max(...rounds.map((round) => round.most));
  const grown = Math.max(...rounds.map((round) => round.most - round.before));
  return {
    cells: [
      `${work}, ${digits(copied, 0)} rows copied`,
      `${digits(median(times), 2)} s, RSS ${digits(most, 0)} MB (+${digits(grown, 0)} MB)`,
      '–',
      '–',
      '–',
      '–',
      `${times.length}: ${digits(Math.min(...times), 2)}–${digits(Math.max(...times), 2)} s`,
    ],
  };
}

const spread = (ratios) => `${ratios.length}: ${digits(Math.min(...ratios), 2)}–${digits(Math.max(...ratios), 2)}`;
const costs = ({ ours, floor }) =>
  [ours.serverUs, floor.serverUs, ours.databaseUs, floor.databaseUs, ours.generatorUs, floor.generatorUs].map((us) =>
    digits(us, us < 20 ? 1 : 0),
  );

/** A conversion has no floor: what counts is what writers feel of it, and that nothing is lost. */
export const conversionRow = ({ count, seconds, before, during, after, longest, compared }) => ({
  cells: [
    `text → integer of ${number(count, 0)} rows, 4 writers meanwhile`,
    `${number(seconds, 1)} s; ${number(before, 0)} writes/s before, ${number(during, 0)} meanwhile, ${number(after, 0)} after; longest pause ${number(longest / 1000, 2)} s`,
    ...['–', '–', '–', 'none lost'],
    `none lost: ${number(compared, 0)} written rows compared`,
  ],
});

/** How many questions many readers of one page are. */
export const questionsRow = ({ requests, ofRows, others }) => ({
  cells: [
    `published view, ${number(requests, 0)} requests of one page after a write, 32 clients`,
    `${ofRows} to the rows, ${others} to the change log and metadata; ${number(100 * (1 - ofRows / requests), 2)} % from memory`,
    ...['–', '–', '–', '1 to the rows', '1'],
  ],
});

export function print(rows) {
  const table = [HEAD, ...rows.map(({ cells }) => cells)];
  const widths = HEAD.map((_, i) => Math.max(...table.map((cells) => [...cells[i]].length)));
  for (const cells of table) console.log(cells.map((cell, i) => cell.padEnd(widths[i])).join('  '));
}

export function write(rows, { postgres, settings, command, seconds, count }) {
  const written = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
  const byHand = written.includes(BY_HAND) ? written.slice(written.indexOf(BY_HAND)) : `${BY_HAND}\n`;
  const costRows = rows.flatMap(({ cost }) => (cost ? [cost] : []));
  const [cpu] = os.cpus();
  const text = `# Benchmark results

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, ${digits(seconds / 60, 1)} minutes, ${digits(count, 0)} rows. Nothing here is asserted by a test: figures of a machine say little, the ratios are what is followed.

Machine: ${os.cpus().length} cores (${cpu.model.trim()}), ${digits(os.totalmem() / 2 ** 30, 0)} GB memory, ${os.type()} ${os.release()}, load ${digits(os.loadavg()[2], 1)} over the last 15 minutes. Node ${process.version}, PostgreSQL ${postgres} (embedded binaries, fsync on, ${settings}). Load generator, server and database share the cores.

${markdown(
  HEAD,
  rows.map(({ cells }) => cells),
)}

Processor time for each request (deliveries: for each delivery), in microseconds, from the scheduler's account. "By processor time" above is server and database together, floor ÷ ours: what the ratio tends to when the machine is full of nothing but this work, and the steadier figure where it is not:

${markdown(COST_HEAD, costRows)}

## How it is measured

\`npm run bench\` starts everything itself, on 127.0.0.1 and in a temporary folder: PostgreSQL, the built server as one process with production settings and log level \`warn\`, the floor (\`bench/floor.mjs\`), and a load generator. The floor is a bare \`node:http\` server with \`pg\`: as many connections, prepared statements, SQL by hand that makes the same JSON text in PostgreSQL, on a twin of the table with the same rows and indexes; it knows no sign-in, rights, validation, versions, change log or events. Both are asked by turns (floor, ours, ours, floor …) in rounds of a few seconds on the same machine in the same run; the ratio is the median of the ratios of the rounds, the last column shows how far they lie apart. The generator (\`bench/http-client.mjs\`) is no HTTP library but 60 lines on a socket, because its cost is on both sides and would flatter the ratio.

- **Page**: 100 rows, \`qty <= ?\` and \`status in (open, won)\`, sorted by \`qty\` descending, another \`qty\` each time, signed in, role checked; index \`(qty asc nulls first, _id)\`. Before the measurement one page is compared with the floor's: the same rows.
- **Linked page**: 50 companies of 1,000 with two lookups (the names of 10 people, the stages of 30 deals each) and a rollup (the sum of those deals), \`rank <= ?\`, sorted by \`rank\` descending. The floor reads the same tables in one statement that looks at the people once and at the deals once for each row. Before the measurement one page is compared. For the statement alone both servers' statements are taken from PostgreSQL's log, and run by turns on one connection, prepared.
- **Views**: a page of two tables joined (\`qty <= ?\`, \`status in (open, won)\`, the largest \`qty\` first, with a name from a table of 1,000 rows), groups of all rows by status and month with a count, a sum and a maximum, and formulas of a fifth of the rows, of which only the number that is not null goes out: what is over is the formula's. Their statements are taken from PostgreSQL's log, and run by turns with statements by hand over the same tables; before that both answers are compared. The lookup join is a page of the table with what another database has for each row, by its key; the floor asks the same two databases one after the other. Of the two queries alone the server tells by itself (\`explain\`: all of the time, and that of each source). For the join engine 200,000 rows of each of two connections are copied, joined by their keys, and sorted by a column of the second; RSS is the most that the server process held meanwhile, and how far it grew.
- **Published view**: for everybody, five columns of the table, \`status in (open, won)\`. Unchanged: the same page of 100 rows, asked with its ETag, and without, so all but the first from memory; the floor answers the same bytes, which it holds, from \`node:http\` without any look at a database, while ours reads where the change log stands. A second floor is the same bare server, which reads that too before it answers, in one question for all who wait, and sends none of our headers: what an exact answer costs at least. Another page each time: \`qty <= ?\`, against a statement by hand. How many questions 10,000 requests are is counted in PostgreSQL's log.
- **Insert, update**: one row of 8 columns a request, 32 clients on one table, each waits for its answer. The floor commits each by itself, without any log.
- **Bulk**: 1,000 creates a call, 4 clients; ours answers with the rows and keeps the log, the floor is one \`unnest\` INSERT that answers with the ids.
  With \`return=minimal\` ours answers without the rows (\`Prefer\`).
- **Import**: a CSV file of so many lines, sent with \`Prefer: respond-async\`, until the job says that it is done; into a table of the 8 columns without further indexes. The floor brings the same rows and the same entries of the change log into twins of both tables by two COPYs in one transaction, in PostgreSQL's own format, read from a file. RSS is how far the memory of the server process grew meanwhile.
- **Conversion**: a column \`text\` becomes \`integer\` in the background, while four clients change and add rows of the same column, each with its next number as soon as the last is acknowledged. In the end every acknowledged value, and every row that nobody wrote, is compared: the run fails when one is lost. The longest pause is the longest wait of a write.
- **Export**: the table of the other works as CSV, all rows in the order of their ids; the floor is a COPY of the twin's columns to stdout.
- **Keyset**: the position of page 10,000 is reached by following cursors from the start (a cursor allows another limit and other fields, so the way is walked in pages of 1,000); then both pages are asked by turns. The column "floor" is page 1, the ratio is that of the times.
- **Fan-out**: as many subscribers on one table, bare WebSockets in one process that count frames. Deliveries: 8 writes are always on their way, another as soon as all sockets have one. Latency: at a third of the deliveries that were reached, from sending the write to its arrival, over all sockets. Memory: how far the RSS of the server grew while the sockets were opened, one process after the other, by socket; with other rooms and rights of ours, and the buffers of the connections in both. The floor broadcasts the same event to a room, without any write.
- **Start**: \`node dist/main.js\` with embedded databases until it says that it is ready; the median of the starts after the first. RSS of the server process, 5 s after it answered.

${byHand}`;
  writeFileSync(FILE, text);
}

const markdown = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
