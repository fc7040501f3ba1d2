import { hashSecretToken, isId, newSecretToken, type Id } from '../../../common/index.js';

/** How personal tokens begin: people and scanners for secrets know them by it, and no JWT begins so. */
const MARK = 'ltp_';
const ID_LENGTH = 22;
const SECRET_LENGTH = 43;
const LENGTH = MARK.length + ID_LENGTH + SECRET_LENGTH;
/** What people see of a token: part of its id, and nothing of its secret. */
const PREFIX_LENGTH = 16;

/** A personal token as text, what is shown of it later, and what is stored. */
export interface TokenText {
  readonly token: string;
  readonly prefix: string;
  readonly hash: Buffer;
}

/** A new token for this id: the mark, the id (16 bytes in base64url, 22 characters), 256 random bits (43 characters). */
export function newTokenText(id: Id): TokenText {
  const token = MARK + Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url') + newSecretToken();
  return { token, prefix: token.slice(0, PREFIX_LENGTH), hash: hashSecretToken(token) };
}

/** Whether it is meant to be a personal token; it need not be a valid one. */
export const isPersonalToken = (token: string): boolean => token.startsWith(MARK);

/** The id in a personal token; undefined for what is none. */
export function idInToken(token: string): Id | undefined {
  if (token.length !== LENGTH || !isPersonalToken(token)) return undefined;
  const hex = Buffer.from(token.slice(MARK.length, MARK.length + ID_LENGTH), 'base64url').toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return isId(id) ? id : undefined;
}
