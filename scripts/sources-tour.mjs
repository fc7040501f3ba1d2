/**
 * `npm run tour:sources [-- --base http://… --postgres URL --mysql URL --mongodb URL]`: puts a real data set into the databases of
 * `docker compose` (or those that are named), connects to each through the API, and asks all of them the same questions.
 * A kind that is given as `none` is left out.
 */
import { parseArgs } from 'node:util';
import { run, Told } from './lib/project.mjs';

const KINDS = { postgres: 'postgresql', mysql: 'mysql', mongodb: 'mongodb' };

await run(async () => {
  const { ensureInstalled } = await import('./lib/install.mjs');
  ensureInstalled();
  const string = { type: 'string' };
  const { values } = parseArgs({
    options: { base: string, postgres: string, mysql: string, mongodb: string },
  });
  const [{ findOrStartServer }, { createApi }, { signUpTwo }, { askAll, QUESTIONS }, load, { connect, DEFAULTS }] =
    await Promise.all([
      import('./quickstart/server.mjs'),
      import('./quickstart/api.mjs'),
      import('./quickstart/tour.mjs'),
      import('./sources-tour/ask.mjs'),
      import('./sources-tour/load.mjs'),
      import('./sources-tour/connect.mjs'),
    ]);
  const loaders = { postgres: load.loadPostgres, mysql: load.loadMysql, mongodb: load.loadMongo };
  const urls = Object.entries({ ...DEFAULTS, ...values }).filter(([kind, url]) => kind in KINDS && url !== 'none');
  const say = console.log;
  const server = await findOrStartServer(values.base, say);
  try {
    const { ada } = await signUpTwo(createApi(server.base, { say: () => undefined }));
    const workspace = (await ada.call('POST', '/workspaces', { body: { name: 'Garage' }, status: 201 })).body;
    const cars = load.readCars();
    const answers = [];
    for (const [kind, url] of urls) {
      await loaders[kind](url, cars).catch((error) => {
        throw new Told(`${kind} cannot be filled (${error.message}); --${kind} none leaves it out.`);
      });
      const connection = await connect(ada, workspace.id, KINDS[kind], new URL(url), 'cars');
      say(`\n  ${connection.name}: ${cars.length} cars in ${connection.from}`);
      for (const { key, nativeType, type } of connection.columns)
        say(`    ${key.padEnd(18)} ${nativeType.padEnd(26)} ${type}`);
      answers.push({ kind, answers: await askAll(ada, connection) });
    }
    compare(answers, QUESTIONS, say);
  } finally {
    await server.stop();
  }
});

function compare(answers, questions, say) {
  const [first, ...others] = answers;
  questions.forEach(({ title }, i) => {
    say(`\n  ${i + 1}. ${title}`);
    for (const { fields, group, values } of first.answers[i].data)
      say(`     ${JSON.stringify(fields ?? { ...group, ...values })}`);
    for (const other of others)
      if (JSON.stringify(other.answers[i]) !== JSON.stringify(first.answers[i]))
        throw new Told(`${other.kind} answers otherwise than ${first.kind}: ${JSON.stringify(other.answers[i])}`);
  });
  say(`\n  The same answers from ${answers.map(({ kind }) => kind).join(', ')}.\n`);
}
