export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is neither undefined, null nor false. Throws after `ms`, with the last error as its cause. */
export async function waitFor<T>(
  ask: () => T | Promise<T>,
  ms = 5_000,
  everyMs = 25,
): Promise<Exclude<T, undefined | null | false>> {
  const until = Date.now() + ms;
  let last: unknown;
  while (Date.now() < until) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false)
        return answer as Exclude<T, undefined | null | false>;
    } catch (error) {
      last = error;
    }
    await sleep(everyMs);
  }
  throw new Error(`waited ${ms} ms in vain for ${ask.toString().slice(0, 120)}`, { cause: last });
}
