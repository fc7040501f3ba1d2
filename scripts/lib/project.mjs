import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root folder of the project. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const inRoot = (...parts) => path.join(root, ...parts);

/** A failure whose message is one sentence for the person at the terminal. */
export class Told extends Error {}

/** Runs a script's main function; prints a told failure without its stack. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Told ? error.message : error);
    process.exit(1);
  }
}
