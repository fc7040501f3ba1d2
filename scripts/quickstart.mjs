/** `npm run quickstart [-- --base http://…]`: a tour through the API against a running server, or one that it starts and stops. */
import { parseArgs } from 'node:util';
import { run, Told } from './lib/project.mjs';

await run(async () => {
  const given = baseOf(process.argv.slice(2));
  const { ensureInstalled } = await import('./lib/install.mjs');
  ensureInstalled();
  const [{ findOrStartServer }, { takeTour }] = await Promise.all([
    import('./quickstart/server.mjs'),
    import('./quickstart/tour.mjs'),
  ]);
  const server = await findOrStartServer(given, console.log);
  console.log(`\n  Live Tables at ${server.base}; paths below are under /api/v1`);
  try {
    const { adaEmail, password } = await takeTour({ base: server.base, say: console.log }).catch((error) => {
      if (error instanceof Told) throw error;
      throw new Told(`The server answered in a form that was not expected (${error.message}).`);
    });
    console.log('\n  Everything was as expected.');
    console.log(
      server.started
        ? '  Next: npm start, then the five-minute tour in README.md.\n'
        : `  Look around: ${server.base}/api/docs, sign in as ${adaEmail} with ${password}\n`,
    );
  } finally {
    await server.stop();
  }
});

function baseOf(args) {
  try {
    const { values } = parseArgs({ args, options: { base: { type: 'string' } } });
    if (values.base === undefined) return undefined;
    const { protocol, origin } = new URL(values.base);
    if (protocol === 'http:' || protocol === 'https:') return origin;
  } catch {
    // told below
  }
  throw new Told('Usage: npm run quickstart -- --base http://localhost:3000');
}
