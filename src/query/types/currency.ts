import { accepted, refused, type ColumnType } from './column-type.js';
import { DECIMAL_NUMBER, parseScale } from './number.js';
import { knownOptions } from './options.js';

/** Most currencies have cents. */
const DEFAULT_SCALE = 2;

export const currency: ColumnType = {
  ...DECIMAL_NUMBER,
  name: 'currency',
  summary: 'An exact amount of money in one currency; a JSON string on output. `scale` is 2 unless given.',
  parseOptions(input) {
    const unknown = knownOptions(input, ['code', 'scale']);
    if (unknown) return unknown;
    const { code } = input;
    if (code !== undefined && code !== null && (typeof code !== 'string' || !/^[A-Z]{3}$/.test(code)))
      return refused('invalid_option', 'code is a currency code of ISO 4217, such as EUR.');
    const scale = parseScale(input.scale ?? DEFAULT_SCALE);
    return scale.ok ? accepted({ ...(typeof code === 'string' ? { code } : {}), ...scale.value }) : scale;
  },
};
