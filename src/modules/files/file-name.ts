import { cleanName } from '../../common/index.js';

/** Letters that turn the direction of reading: with them `gpj.exe` looks like `exe.jpg` (Unicode TR 36, section 3). */
const TURNING = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/**
 * The name of an uploaded file as it is kept: without folders (of any system), trimmed, in NFC. Undefined when what is left is not
 * 1 to 255 characters of text that shows what it is.
 */
export function cleanFileName(given: string | undefined): string | undefined {
  const name = cleanName(given?.split(/[\\/]/).at(-1));
  return name === undefined || /^\.+$/.test(name) || TURNING.test(name) ? undefined : name;
}
