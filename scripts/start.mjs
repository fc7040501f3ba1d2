/** `npm start`: on a bare machine with Node.js, from a clean clone to a running server. Each step is skipped when it is done. */
const OLDEST = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(
    `Node.js ${process.versions.node} is too old: install version ${OLDEST.join('.')} or newer from https://nodejs.org.`,
  );
  process.exit(1);
}

// Loaded only now: older versions would stumble over their syntax before they could say so.
import('./lib/project.mjs').then(({ run }) =>
  run(async () => {
    const { ensureInstalled } = await import('./lib/install.mjs');
    const { ensureBuilt } = await import('./lib/build.mjs');
    ensureInstalled();
    ensureBuilt();
    // In this process: signals and the exit code are the server's own.
    await import('../dist/main.js');
  }),
);
