import { spawnSync } from 'node:child_process';
import { aptInstall, which } from './apt.mjs';

const MISSING =
  'promtool is missing: install Prometheus (Debian: apt-get install prometheus, macOS: brew install prometheus) and run the tests again.';

/** What Prometheus' own tool says of files, or of what it is given to read. */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly text: string } {
  const program = which('promtool') ?? (aptInstall('prometheus') ? which('promtool') : undefined);
  if (!program) throw new Error(MISSING);
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (error) throw error;
  return { status, text: `${stdout}${stderr}` };
}
