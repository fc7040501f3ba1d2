import type { Access } from '../../../common/index.js';
import type { FilterContext } from '../../../query/index.js';

/** What `$now`, `$today` and `$me` mean in a request. */
export const filterContext = ({ principal, timeZone }: Access): FilterContext => ({
  now: new Date(),
  zone: timeZone,
  me: principal.userId,
});
