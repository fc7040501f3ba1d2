import type { Caller } from '../../common/index.js';
import type { Actor } from './audited-transaction.js';

/** A signed-in caller (or an access, which includes one) as the audit log names him. */
export const actorOf = (caller: Caller): Actor => ({ ...ownActorOf(caller), held: true });

/** The same for writes to the caller's own account, which lock it themselves. */
export const ownActorOf = ({ principal, request }: Caller): Actor => ({
  id: principal.userId,
  name: principal.name,
  via: principal.token ? 'token' : 'session',
  request,
});
