import { In, type EntityManager } from 'typeorm';
import { Problem, type Id } from '../../../../../common/index.js';
import { ColumnConversionEntity, UNDER_WAY } from './column-conversion.entity.js';

/**
 * Refuses to change a column on its way to another type: its old type, options and demands are what the conversion goes by. To be asked
 * where nobody else can begin one, within a structure change of the base.
 * @throws Problem `schema_busy`
 */
export async function mustBeAtRest(manager: EntityManager, columnId: Id): Promise<void> {
  if (!(await manager.existsBy(ColumnConversionEntity, { columnId, state: In(UNDER_WAY) }))) return;
  throw new Problem('schema_busy', {
    detail: 'The column is just being given another type. Wait for the end of that, or cancel it.',
    headers: { 'retry-after': '10' },
  });
}
