import { expect, it, jest } from '@jest/globals';
import { runFaults, type Outcome } from './run.js';
import { FAULTS } from './schedule.js';

/** Given by scripts/faults.mjs. */
const seed = Number(process.env.FAULT_SEED ?? 1);
const seconds = Number(process.env.FAULT_SECONDS ?? 60);

jest.setTimeout((seconds + 600) * 1_000);

const say = (text: string) => void process.stderr.write(`${text}\n`);

function tell({ steps, broken, figures }: Outcome): void {
  say(`\nSeed ${seed}: ${steps.length} faults`);
  for (const { fault, node, lastsMs } of steps) say(`  ${fault} (node ${node + 1}, ${lastsMs} ms)`);
  for (const [name, figure] of Object.entries(figures)) say(`  ${name}: ${JSON.stringify(figure)}`);
  for (const [promise, findings] of Object.entries(broken)) {
    say(`  ${findings.length === 0 ? 'kept' : 'BROKEN'}: ${promise}`);
    for (const finding of findings.slice(0, 10)) say(`    ${finding}`);
  }
}

it(`two nodes keep their promises under every fault, by the schedule of seed ${seed}`, async () => {
  const outcome = await runFaults({ seed, ms: seconds * 1_000, faults: FAULTS });
  tell(outcome);
  expect(Object.entries(outcome.broken).filter(([, findings]) => findings.length > 0)).toEqual([]);
});
