/**
 * `npm run test:faults -- --seed N [--seconds S] [--runs R]`: two nodes under load while everything under them fails, by a schedule that the seed
 * decides. Prints what happened, what was written and what was broken; exit code 1 when a promise was. `--runs` goes on with the seeds behind it.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { inRoot, root, run, Told } from './lib/project.mjs';

await run(() => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Math.trunc(Date.now() / 1000) % 100_000) },
      seconds: { type: 'string', default: '60' },
      runs: { type: 'string', default: '1' },
    },
  });
  for (const [name, text] of Object.entries(values))
    if (!/^\d{1,9}$/.test(text)) throw new Told(`--${name} is a whole number, not ${text}.`);
  const seeds = Array.from({ length: Number(values.runs) }, (_, nr) => Number(values.seed) + nr);
  const broken = seeds.filter((seed) => {
    const done = spawnSync(process.execPath, [inRoot('scripts/test.mjs'), 'faults'], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, FAULT_SEED: String(seed), FAULT_SECONDS: values.seconds },
    });
    return done.status !== 0;
  });
  if (seeds.length > 1) console.log(`\n${seeds.length} seeds, broken: ${broken.join(', ') || 'none'}`);
  process.exitCode = broken.length > 0 ? 1 : 0;
});
