import type { Access } from '../../../common/index.js';
import type { FilterContext } from '../../../query/index.js';

/** What `$now` and `$me` mean in a request. */
export const filterContext = ({ principal }: Access): FilterContext => ({ now: new Date(), me: principal.userId });
