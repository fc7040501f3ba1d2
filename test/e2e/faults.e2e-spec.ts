import { expect, it, jest } from '@jest/globals';
import { runFaults } from '../faults/run.js';

jest.setTimeout(300_000);

/** Of another length, and of all kinds: `npm run test:faults -- --seed N`. */
const SEED = 13;

const KINDS = [
  'node is killed',
  'node is asked to stop',
  'PostgreSQL crashes',
  'connections to PostgreSQL are cut',
] as const;

it('two nodes keep their promises while nodes are killed and stopped, PostgreSQL crashes and connections are cut', async () => {
  const { steps, broken, figures } = await runFaults({
    seed: SEED,
    ms: 6_000,
    writers: 2,
    faults: KINDS,
  });
  expect(Object.entries(broken).filter(([, findings]) => findings.length > 0)).toEqual([]);
  expect(new Set(steps.map(({ fault }) => fault))).toEqual(new Set(KINDS));
  // Something did happen, and something was written meanwhile.
  expect(figures).toMatchObject({ acknowledged: expect.any(Number), repeated: expect.any(Number) });
  expect(Number(figures.acknowledged)).toBeGreaterThan(50);
  expect(Number(figures.repeated)).toBeGreaterThan(0);
});
