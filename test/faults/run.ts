import { must } from '../../src/common/index.js';
import { client, expectStatus, member, sleep, waitFor, world, type Row, type World } from '../harness/index.js';
import { allChanges, allRows, tableOf } from '../support/change-feed.js';
import { randomOf } from '../support/random.js';
import { Follower } from './follower.js';
import { History } from './history.js';
import { judge } from './judge.js';
import { install, type Installation } from './installation.js';
import { increment, readExternal, write, writeBulk, type ExternalTable } from './load.js';
import { schedule, type Fault, type Step } from './schedule.js';

export interface FaultRun {
  readonly seed: number;
  readonly ms: number;
  readonly faults: readonly Fault[];
  readonly writers?: number;
}

/** What came of a run: each list of what was broken is empty where a promise was kept. */
export interface Outcome {
  readonly steps: readonly Step[];
  readonly broken: ReturnType<typeof judge>;
  readonly figures: Readonly<Record<string, unknown>>;
}

const BULK = 25;

/** Two nodes under load and faults, and what their clients were told compared with what there is in the end. */
export async function runFaults({ seed, ms, faults, writers = 6 }: FaultRun): Promise<Outcome> {
  const steps = schedule(randomOf(seed), ms, faults);
  const begun = Date.now();
  const times: Record<string, number> = {};
  const withExternal = faults.includes('somebody else’s database is a black hole');
  const installation = await install({ external: withExternal });
  const [first] = installation.nodes;
  const at = await world(first.base, {
    columns: [
      { name: 'Name', type: 'text', required: true },
      { name: 'Qty', type: 'integer' },
    ],
  });
  const counter = expectStatus(
    await at.owner.post<Row>(`/tables/${at.table.id}/rows`, { fields: { name: 'counter', qty: 0 } }),
    201,
  );
  const things = await connectExternal(installation, at.workspace.id, at.owner.accessToken);
  const removed = await member(at, 'editor');
  const membership = await membershipOf(at, removed.user.id);
  times.start = Date.now() - begun;
  const history = new History();
  const caller = { installation, history, token: at.owner.accessToken, table: at.table };
  const [load, follow] = [new AbortController(), new AbortController()];
  const followers = ([0, 1, 0, 1] as const).map(
    (node) => new Follower(installation, at.owner.accessToken, at.table.id, node),
  );
  const following = followers.map((each) => each.follow(follow.signal));
  const working = Promise.all([
    ...Array.from({ length: writers }, (_, nr) => write(caller, `writer ${nr}`, load.signal)),
    writeBulk(caller, 'bulk', BULK, load.signal),
    ...[1, 2].map(() => increment(caller, counter.id, load.signal)),
    ...(things ? [readExternal(caller, things, load.signal)] : []),
  ]);
  const playing = play(installation, steps, removed.token ?? '', () =>
    removeMember(installation, at.workspace.id, at.owner.accessToken, membership),
  );
  // Not behind each other: writers that fail end it at once.
  const { endings, revokedMs } = await Promise.race([playing, working.then(() => playing)]);
  times.faults = Date.now() - begun;
  load.abort();
  await working;

  times.settled = Date.now() - begun;
  const as = client(first.base, at.owner.accessToken);
  const head = (await allChanges(as, at.table)).at(-1)?.seq ?? 0;
  await waitFor(() => followers.every(({ position }) => (position?.seq ?? 0) >= head), 30_000).catch(() => undefined);
  follow.abort();
  await Promise.all(following);

  const rows = await allRows(as, at.table);
  const held = tableOf(await allChanges(as, at.table), at.table.columns).rows;
  const sorted = [...history.delays].sort((a, b) => a - b);
  return {
    steps,
    broken: judge({
      history,
      rows,
      held,
      head,
      followers,
      counterId: counter.id,
      bulkSize: BULK,
      ...endings,
      revokedMs,
    }),
    figures: {
      acknowledged: history.acknowledged.size,
      bulks: history.bulks.size,
      increments: history.increments,
      answers: Object.fromEntries([...history.answers].sort()),
      repeated: history.repeated,
      'longest until a disturbed write was answered, ms': sorted.at(-1) ?? 0,
      'half of them within, ms': sorted[Math.floor(sorted.length / 2)] ?? 0,
      'numbers in the log': head,
      'events of each follower': followers.map(({ events }) => events),
      reconnects: followers.map(({ reconnects }) => reconnects),
      'clean stops, ms': endings.stops,
      'started, faults over, writers done after, ms': times,
      'removed member refused on both nodes after, ms': revokedMs,
    },
  };
}

async function membershipOf({ owner, workspace }: World, userId: string): Promise<string> {
  const { data } = expectStatus(
    await owner.get<{ data: { id: string; user: { id: string } }[] }>(`/workspaces/${workspace.id}/members`),
    200,
  );
  return must(data.find(({ user }) => user.id === userId)?.id, 'the member is in the list');
}

/** One fault after the other; each is over before the next begins. In the middle of them somebody loses his membership. */
async function play(
  installation: Installation,
  steps: readonly Step[],
  removedToken: string,
  remove: () => Promise<string>,
) {
  const endings = { stops: [] as number[], unclean: [] as string[], wrong: [] as string[] };
  let revokedMs: number | undefined;
  for (const [nr, step] of steps.entries()) {
    await sleep(step.pauseMs);
    for (const { process } of installation.nodes) {
      const gone = await Promise.race([process?.ended, sleep(0)]);
      if (gone) endings.wrong.push(`a node ended by itself: ${JSON.stringify(gone)} ${process?.output().slice(-500)}`);
    }
    await happen(installation, step, endings);
    if (nr === Math.floor(steps.length / 2)) {
      const path = await remove();
      const begun = Date.now();
      const isRefused = async (base: string) =>
        [401, 403, 404].includes((await client(base, removedToken).get(path)).status);
      revokedMs = await waitFor(
        async () => (await Promise.all(installation.nodes.map(({ base }) => isRefused(base)))).every(Boolean),
        8_000,
      ).then(
        () => Date.now() - begun,
        () => undefined,
      );
    }
  }
  return { endings, revokedMs };
}

async function happen(
  installation: Installation,
  { fault, node, lastsMs }: Step,
  endings: { stops: number[]; unclean: string[] },
): Promise<void> {
  const target = installation.nodes[node];
  const { postgres, redis, external } = installation;
  switch (fault) {
    case 'node is killed':
      await installation.stop(target, 'kill9');
      await sleep(lastsMs);
      return installation.start(target);
    case 'node is asked to stop': {
      const ending = await installation.stop(target, 'term');
      if (ending) endings.stops.push(ending.ms);
      if (ending?.code !== 0 || ending.ms > 10_000) endings.unclean.push(JSON.stringify(ending));
      return installation.start(target);
    }
    case 'PostgreSQL crashes':
      await postgres.crash();
      await sleep(lastsMs);
      return postgres.start();
    case 'Redis dies':
      await redis.kill();
      await sleep(lastsMs);
      return redis.start();
    case 'Redis hangs':
      redis.hang();
      await sleep(lastsMs);
      redis.resume();
      return;
    case 'connections to PostgreSQL are cut':
      await target.postgres.cut();
      await sleep(lastsMs);
      return target.postgres.mend();
    case 'the way to PostgreSQL is a black hole':
      target.postgres.swallow();
      await sleep(lastsMs);
      return target.postgres.mend();
    case 'somebody else’s database is a black hole':
      external?.way.swallow();
      await sleep(lastsMs);
      return external?.way.mend();
  }
}

async function connectExternal(
  { nodes, external }: Installation,
  workspaceId: string,
  token: string,
): Promise<ExternalTable | undefined> {
  if (!external) return undefined;
  const { mysql, way } = external;
  await mysql.sql('create table things (id int primary key, name varchar(20))');
  await mysql.sql("insert into things values (1, 'one'), (2, 'two')");
  const { database, username, password } = mysql;
  const body = { name: 'Somebody’s', engine: 'mysql', host: way.host, port: way.port, database, username, password };
  const as = client(nodes[0].base, token);
  const { id } = expectStatus(await as.post<{ id: string }>(`/workspaces/${workspaceId}/connections`, body), 201);
  const table = { connectionId: id, from: `${database}.things` };
  expectStatus(await as.post(`/connections/${id}/query`, { from: table.from }), 200);
  return table;
}

/** Removes the member, on whichever node answers; the path that he may not read any more. */
async function removeMember(
  { nodes }: Installation,
  workspaceId: string,
  token: string,
  memberId: string,
): Promise<string> {
  let nr = 0;
  await waitFor(async () => {
    const { status } = await client(nodes[nr++ % 2 === 0 ? 0 : 1].base, token).del(
      `/workspaces/${workspaceId}/members/${memberId}`,
    );
    return status === 204 || status === 404;
  }, 30_000);
  return `/workspaces/${workspaceId}`;
}
