import { invalid, Problem } from '../../../common/index.js';
import { isCommonPassword } from './common-password.js';

/** 401, of a signed-in person who does not know the password of the account. */
export const wrongPassword = (): Problem => new Problem('invalid_credentials', { detail: 'The password is wrong.' });

/** For where the address is known only after the body was read. Throws 422 at `pointer` for a password that contains it. */
export function refuseCommon(password: string, email: string, pointer: string): void {
  if (!isCommonPassword(password, email)) return;
  const detail = 'This password is among the first that anybody would try. Choose another one.';
  throw invalid([{ pointer, code: 'password_common', detail }]);
}
