/** Measuring two sides in turn, so that whatever else the machine does meets both. */
import { cpuBetween, cpuOf } from './children.mjs';

export const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/**
 * Runs `ours` and `floor` by turns, ABBA, `rounds` times each, after one round of each that is thrown away. Each gives an object of numbers; the result
 * has the median of each number, and the median of the ratios ours ÷ floor of `key`, round by round.
 */
export async function interleaved({ rounds, ours, floor, key, log = () => undefined }) {
  const results = { ours: [], floor: [] };
  const sides = { ours, floor };
  for (let round = -1; round < rounds; round++) {
    for (const side of round % 2 === 0 ? ['ours', 'floor'] : ['floor', 'ours']) {
      const result = await sides[side](round < 0);
      if (round >= 0) results[side].push(result);
    }
    if (round >= 0) log(results.ours[round][key] / results.floor[round][key]);
  }
  const ratios = results.ours.map((result, i) => result[key] / results.floor[i][key]);
  const costs = results.ours.map((result, i) => results.floor[i].workUs / result.workUs);
  return {
    ours: medians(results.ours),
    floor: medians(results.floor),
    ratio: median(ratios),
    ratios,
    cost: median(costs),
  };
}

const medians = (list) =>
  Object.fromEntries(Object.keys(list[0]).map((key) => [key, median(list.map((item) => item[key]))]));

/** What `work` costs in processor time of the server, the database and the generator, in microseconds for each of `count`. */
export async function withCpu(serverPid, databasePids, work) {
  const look = () => [cpuOf([serverPid]), cpuOf(databasePids())];
  const before = look();
  const result = await work();
  const [server, database] = look().map((after, i) => cpuBetween(before[i], after));
  const per = 1000 / Math.max(1, result.count);
  return {
    ...result,
    serverUs: server * per,
    databaseUs: database * per,
    generatorUs: result.cpuMs * per,
    workUs: (server + database) * per,
  };
}
