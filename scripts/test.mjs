/**
 * `npm test`: every test, or the kinds named (`node scripts/test.mjs unit e2e [jest options]`). Brings what the tests need;
 * the last line is always `N passed, N failed, N skipped`. Exits 1 when something failed, or when nothing ran.
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { inRoot, root, run } from './lib/project.mjs';

/** What runs when none is named; `faults` has a command of its own, scripts/faults.mjs. */
const USUAL = ['unit', 'engines', 'e2e'];
const KINDS = [...USUAL, 'faults'];
/** Lines about how we run Jest, of no use to whoever reads the results. */
const OWN_AFFAIRS = /^.*(Force exiting Jest|Test results written to|Have you considered using).*\n?/gm;

await run(async () => {
  const chosen = process.argv.slice(2).filter((word) => KINDS.includes(word));
  const options = process.argv.slice(2).filter((word) => !KINDS.includes(word));
  const kinds = chosen.length > 0 ? chosen : USUAL;
  ensureInstalled();
  if (kinds.some((kind) => kind !== 'unit')) ensureBuilt(); // some tests run the built server
  const report = path.join(os.tmpdir(), `live-tables-report-${process.pid}.json`);
  const code = await jest(['--selectProjects', ...kinds, '--json', `--outputFile=${report}`, ...options]);
  const { passed, failed, skipped, failures } = read(report);
  rmSync(report, { force: true });
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((line) => `  ${line}`).join('\n')}`);
  const bad = code !== 0 || failed > 0 || passed + failed === 0;
  if (bad && failed === 0) console.log(passed === 0 ? '\nNo test ran.' : '\nThe test run itself failed; see above.');
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = bad ? 1 : 0;
});

function jest(args) {
  const child = spawn(
    process.execPath,
    // Servers that a failed test left open must not hold up the run: it ends with its last test.
    [
      ...nodeOptions(),
      inRoot('node_modules/jest/bin/jest.js'),
      ...(process.stdout.isTTY ? ['--colors'] : []),
      '--forceExit',
      '--passWithNoTests',
      ...args,
    ],
    // The report goes to the file; what people read comes on stderr.
    { cwd: root, stdio: ['ignore', 'ignore', 'pipe'], env: environment() },
  );
  child.stderr.on('data', (chunk) => process.stdout.write(chunk.toString().replace(OWN_AFFAIRS, '')));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}

/** A declaration, for it is called before the end of this file is reached. */
function nodeOptions() {
  return ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning'];
}

/** Workers inherit NODE_OPTIONS, not the arguments. Nothing of the developer's own settings gets into a test. */
function environment() {
  return {
    ...process.env,
    NODE_ENV: 'test',
    ENV_FILE: '/dev/null',
    NODE_OPTIONS: [process.env.NODE_OPTIONS, ...nodeOptions()].filter(Boolean).join(' '),
  };
}

/** A file that could not run at all counts as one failure. */
function read(report) {
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0, failures: [] };
  }
  const files = result.testResults ?? [];
  const place = (file) => path.relative(root, file.name);
  const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failures = files.flatMap((file) =>
    file.assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => `${place(file)} · ${fullName}`),
  );
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + broken.length,
    skipped: result.numPendingTests + result.numTodoTests,
    failures: [...failures, ...broken.map((file) => `${place(file)} · could not run`)],
  };
}
