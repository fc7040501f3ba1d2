import { describe, expect, it } from '@jest/globals';
import { newId, type Id } from '../../common/index.js';
import { TRUE } from '../../query/index.js';
import { everyType } from '../../../test/query/index.js';
import { GatheredRows, type RowQuestion } from './gathered-rows.js';

const table = everyType();
const QUESTION: RowQuestion = { table, select: table.columns, where: TRUE };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Remembers what each statement asked for; a row is there unless it is among `gone`. */
function reads(gone: readonly Id[] = []) {
  const asked: (readonly Id[])[] = [];
  const rows = new GatheredRows((_question, ids) => {
    asked.push(ids);
    return Promise.resolve(
      new Map(ids.filter((id) => !gone.includes(id)).map((id) => [id, { version: 1, json: `{"id":"${id}"}` }])),
    );
  });
  return { asked, rows };
}

describe('rows that are asked for one by one', () => {
  it('in one turn of the event loop are read together, and each gets its own', async () => {
    const [a, b, gone] = [newId(), newId(), newId()];
    const { asked, rows } = reads([gone]);
    const answers = await Promise.all([a, b, gone, a].map((id) => rows.read(QUESTION, id)));
    expect(asked).toEqual([[a, b, gone]]);
    expect(answers.map((row) => row?.json)).toEqual([`{"id":"${a}"}`, `{"id":"${b}"}`, undefined, `{"id":"${a}"}`]);
  });

  it('in another turn are read anew: nothing is kept', async () => {
    const id = newId();
    const { asked, rows } = reads();
    const first = rows.read(QUESTION, id);
    await turn();
    await Promise.all([first, rows.read(QUESTION, id)]);
    expect(asked).toEqual([[id], [id]]);
  });

  it('go together only where the same is asked of them, and not without end', async () => {
    const ids = Array.from({ length: 120 }, newId);
    const { asked, rows } = reads();
    const another = { ...QUESTION, where: { ...TRUE } };
    await Promise.all([...ids.map((id) => rows.read(QUESTION, id)), rows.read(another, newId())]);
    expect(asked.map((each) => each.length).sort((x, y) => x - y)).toEqual([1, 20, 50, 50]);
  });

  it('fail together, and only those who asked together', async () => {
    let fails = true;
    const rows = new GatheredRows(() => (fails ? Promise.reject(new Error('no')) : Promise.resolve(new Map())));
    const outcomes = await Promise.allSettled([newId(), newId()].map((id) => rows.read(QUESTION, id)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    await expect(rows.read(QUESTION, newId())).resolves.toBeUndefined();
  });
});
