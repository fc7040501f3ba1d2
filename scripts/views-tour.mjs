/**
 * `npm run tour:views [-- --base http://… --mysql URL --mongodb URL]`: joins a table of this server with a table in MySQL or MariaDB and a
 * collection in MongoDB, of real data, and shows where each part of the answer came from. The databases are those of `docker compose`
 * where no others are named.
 */
import { parseArgs } from 'node:util';
import { run, Told } from './lib/project.mjs';

await run(async () => {
  const { ensureInstalled } = await import('./lib/install.mjs');
  ensureInstalled();
  const string = { type: 'string' };
  const { values } = parseArgs({ options: { base: string, mysql: string, mongodb: string } });
  const [{ findOrStartServer }, { createApi }, { signUpTwo }, { connect, DEFAULTS }, films, tour] = await Promise.all([
    import('./quickstart/server.mjs'),
    import('./quickstart/api.mjs'),
    import('./quickstart/tour.mjs'),
    import('./sources-tour/connect.mjs'),
    import('./views-tour/films.mjs'),
    import('./views-tour/tour.mjs'),
  ]);
  const say = console.log;
  const urls = { mysql: new URL(values.mysql ?? DEFAULTS.mysql), mongodb: new URL(values.mongodb ?? DEFAULTS.mongodb) };
  const server = await findOrStartServer(values.base, say);
  try {
    const signedUp = await signUpTwo(createApi(server.base, { say: () => undefined }));
    const ada = createApi(server.base, { say, token: signedUp.ada.token });
    const workspaceId = (await ada.call('POST', '/workspaces', { body: { name: 'Cinema' }, status: 201, quiet: true }))
      .body.id;
    const all = films.readFilms();
    await films.loadEarnings(urls.mysql.href, all).catch(unfilled('MySQL'));
    await films.loadRatings(urls.mongodb.href, all).catch(unfilled('MongoDB'));
    const tableId = await tour.makeFilms(ada, workspaceId, all);
    const earnings = await connect(ada, workspaceId, 'mysql', urls.mysql, 'earnings');
    const ratings = await connect(ada, workspaceId, 'mongodb', urls.mongodb, 'ratings');
    say(`\n  ${all.length} films: a table of this server, ${earnings.from} in MySQL, ${ratings.from} in MongoDB.`);
    const definition = tour.sources(tableId, earnings, ratings);
    const counted = tour.byHand(all);

    say('\n  1. The films that earned most beyond what they cost');
    const rows = await tour.readView(ada, workspaceId, 'Margins', { ...definition, ...tour.ROWS });
    for (const { fields } of rows.data) say(`     ${JSON.stringify(fields)}`);
    tour.expectSame('Margins', rows.data.map(({ fields }) => ({ title: fields.title, margin: Number(fields.margin) })), counted.rows); // prettier-ignore
    await tour.explain(ada, rows.id, say);

    say('\n  2. The best months for releasing a film');
    const months = await tour.readView(ada, workspaceId, 'Months', { ...definition, ...tour.MONTHS });
    for (const { group, values: sums } of months.data) say(`     ${JSON.stringify({ ...group, ...sums })}`);
    tour.expectSame('Months', months.data.map(({ group, values: sums }) => ({ month: group.month, films: sums.films, margin: Number(sums.margin) })), counted.months); // prettier-ignore
    await tour.explain(ada, months.id, say);
    say('\n  The same as counted by hand from the file.\n');
  } finally {
    await server.stop();
  }
});

function unfilled(kind) {
  return (error) => {
    throw new Told(`${kind} cannot be filled (${error.message}); name another one with --${kind.toLowerCase()}.`);
  };
}
