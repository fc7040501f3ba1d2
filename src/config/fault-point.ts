/**
 * A test aid: `FAULT_POINT=schema.recorded` kills the process, as a power cut would, when it comes to the point of that name;
 * with `FAULT_POINT=schema.recorded*7` at the seventh arrival, the six before waiting there for their end. Never in production.
 */
const armed = process.env.NODE_ENV === 'production' ? undefined : process.env.FAULT_POINT;
const [armedName, times = '1'] = armed?.split('*') ?? [];
let arrivals = 0;

/** A place between two steps where a process may die; see the tests that need it. Nothing on the path of rows passes one. */
export async function faultPoint(name: string): Promise<void> {
  if (name !== armedName) return;
  arrivals++;
  if (arrivals === Number(times)) process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
}
