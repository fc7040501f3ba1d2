import { dictionary } from '@zxcvbn-ts/language-common';

/** The fifty thousand most common passwords of known leaks, in lower case. */
const LEAKED: ReadonlySet<string> = new Set(dictionary['passwords-common'].map(String));

/** What people type when a form asks for more characters; digits and punctuation around and between do not help. */
const WEAK_STEMS: ReadonlySet<string> = new Set(
  (
    'abc abcd abcdef access account admin adminadmin administrator baseball batman changeme charlie default demo donald ' +
    'dragon flower football freedom guest hello helloworld iloveyou letmein liverpool login loveme master michael monkey ' +
    'mustang mypassword newpassword nothing passphrase passw passwd password passwordpassword passwort pokemon princess ' +
    'private qazwsx qazwsxedc qwer qwert qwerty qwertyqwerty qwertz root secret server shadow starwars summer sunshine ' +
    'superman supersecret system temp temporary test testing testtest trustno user username welcome whatever winter'
  ).split(' '),
);

/** Rows of keyboards and the alphabet, written twice so that a run may go round. */
const RUNS: readonly string[] = [
  '1234567890',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
]
  .flatMap((run) => [run, Array.from(run).reverse().join('')])
  .map((run) => run + run);

const isRun = (text: string): boolean => RUNS.some((run) => run.includes(text));

const UNLEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  $: 's',
  '@': 'a',
  '!': 'i',
};

/** The letters of a password, once as they are and once with look-alikes put back (`p4$$w0rd`). */
function stems(password: string): string[] {
  const letters = (text: string): string => text.replace(/[^a-z]/g, '');
  const unleeted = password.replace(/[\d$@!]+$/, '').replace(/[01345$@!]/g, (sign) => UNLEET[sign] ?? sign);
  return [letters(password), letters(unleeted)];
}

/** Whether it is a leaked password, with digits and punctuation before and behind it as far as they are the smaller part. */
function isLeaked(password: string): boolean {
  if (LEAKED.has(password)) return true;
  const twice = /^(.+)\1$/u.exec(password)?.[1];
  if (twice !== undefined && LEAKED.has(twice)) return true;
  const core = password.replace(/^[\d\W_]+|[\d\W_]+$/gu, '');
  return core.length * 2 >= password.length && LEAKED.has(core);
}

/**
 * Whether a password is among the first that an attacker tries: one of a leak, a weak word with decoration, the own address, a run
 * along the keyboard, a short piece repeated. A fixed, offline check; it costs microseconds.
 */
export function isCommonPassword(password: string, email = ''): boolean {
  const folded = password.normalize('NFKC').toLowerCase();
  const localPart = email.slice(0, Math.max(0, email.lastIndexOf('@')));
  if (folded === email || (localPart !== '' && folded.replace(/[\d\W_]+$/, '') === localPart)) return true;
  if (/^(.{1,4}?)\1+.{0,3}$/u.test(folded)) return true;
  return (
    isLeaked(folded) ||
    isRun(folded) ||
    stems(folded).some((stem) => WEAK_STEMS.has(stem) || (stem.length > 4 && isRun(stem)))
  );
}
