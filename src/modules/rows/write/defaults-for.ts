import type { Access } from '../../../common/index.js';
import type { DefaultContext } from '../../../query/index.js';

/** What the defaults `now` and `me` mean in a request. */
export const defaultsFor = ({ principal }: Access): DefaultContext => ({ now: new Date(), me: principal.userId });
