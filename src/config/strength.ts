import { list } from './parsers.js';

/** What people type when a secret is asked for; compared without case and punctuation. */
const COMMON =
  /^(change(it|me|this)|secret(key)?|jwtsecret(key)?|(my|your)?(super)?(secret|password)(key)?|password\d*|passwort|postgres(ql)?|admin\d*|root|test|default|example|livetables|letmein|qwerty\w*|12345\d*)$/;
const PLACEHOLDER = /change.?(me|this|it)|your.?(super.?)?secret|placeholder|example/i;

/** Shannon estimate of a text's information, in bits: its length times the entropy of its character frequencies. */
export function bitsOf(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((bits, count) => bits - count * Math.log2(count / value.length), 0);
}

/** A secret that protects by itself (signing, encryption): long and unguessable. The complaint, or undefined when it will do. */
export function weaknessOfKey(value: string): string | undefined {
  if (value.length < 32) return 'is too short (32 characters at least)';
  if (PLACEHOLDER.test(value) || COMMON.test(plain(value))) return 'is a placeholder';
  if (/^(.{1,16})\1+$/.test(value) || bitsOf(value) < 80 || isSequence(value)) return 'is easy to guess';
  return undefined;
}

/** The same of each key in a comma list. */
export function weaknessOfKeys(value: string): string | undefined {
  const complaints = list(value).flatMap((key, at) => {
    const weakness = weaknessOfKey(key);
    return weakness === undefined ? [] : `holds a key, number ${at + 1}, that ${weakness}`;
  });
  return complaints[0];
}

/** A password of another service: it was chosen there, so only what is plainly unsafe is refused. */
export function weaknessOfPassword(value: string): string | undefined {
  if (value.length < 8) return 'is too short (8 characters at least)';
  if (PLACEHOLDER.test(value) || COMMON.test(plain(value))) return 'is a common password';
  return new Set(value).size < 4 ? 'is easy to guess' : undefined;
}

const plain = (value: string) => value.toLowerCase().replace(/[^a-z0-9]/g, '');

/** `0123456789abcdef…`: every step the same, give or take the jump where the alphabet starts over. */
function isSequence(value: string): boolean {
  const codes = [...Buffer.from(value)];
  const steps = codes.slice(1).filter((code, at) => code - (codes[at] ?? 0) === 1);
  return steps.length > codes.length * 0.8;
}
