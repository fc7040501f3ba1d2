import type { EntityManager, EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import { placeOfCursor, type PageQuery, type Place } from '../../common/index.js';

/** What a page of a list in order of positions shows, and one more if there is one. */
export function findInOrder<T extends ObjectLiteral & Place>(
  manager: EntityManager,
  entity: EntityTarget<T>,
  where: FindOptionsWhere<T>,
  { limit, cursor }: Pick<PageQuery, 'limit' | 'cursor'>,
): Promise<T[]> {
  const query = manager
    .createQueryBuilder(entity, 'item')
    .where(where)
    .orderBy('item.position', 'ASC')
    .addOrderBy('item.id', 'ASC')
    .take(limit + 1);
  if (cursor !== undefined) query.andWhere('(item.position, item.id) > (:position, :id)', placeOfCursor(cursor));
  return query.getMany();
}

/** A position behind all that are there. */
export const positionAfter = (siblings: readonly Pick<Place, 'position'>[]): number =>
  Math.max(0, ...siblings.map(({ position }) => Math.floor(position) + 1));
