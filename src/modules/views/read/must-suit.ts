import { isGrouped, refuse, type ViewDefinition } from '../../../query/index.js';
import type { Asked } from './view-reader.service.js';

/**
 * A view of groups shows its groups and not the rows behind them, which a request must not reach either: what cannot be asked of groups is
 * refused.
 * @throws Problem `validation_failed`
 */
export function mustSuit(definition: ViewDefinition, { kind, request }: Asked): void {
  if (!isGrouped(definition)) return;
  const at =
    kind === 'groups' ? 'groupBy' : (['fields', 'search'] as const).find((each) => request[each] !== undefined);
  if (at !== undefined)
    throw refuse(`/${at}`, 'not_with_groups', 'The view shows groups: they can be filtered, sorted and paged.');
}
