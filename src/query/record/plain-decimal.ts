const EXPONENT = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/;

/** Texts of PostgreSQL's binary floating-point numbers: at most 17 digits, with an exponent of at most three. */
export const FLOAT = /^(?:NaN|-?Infinity|-?\d{1,17}(?:\.\d{1,24})?|-?\d(?:\.\d{1,16})?e[+-]\d{2,3})$/;

/** The text of a binary floating-point number without an exponent, as `numeric` has it; of what is no number the name remains. */
export function plainDecimal(text: string): string {
  if (text === '-0') return '0';
  const match = EXPONENT.exec(text);
  if (!match) return text;
  const [, sign = '', first = '', rest = '', exponent = ''] = match;
  const digits = first + rest;
  // How many digits stand before the point.
  const before = 1 + Number(exponent);
  if (before <= 0) return `${sign}0.${'0'.repeat(-before)}${digits}`;
  const whole = digits.slice(0, before).padEnd(before, '0');
  return digits.length > before ? `${sign}${whole}.${digits.slice(before)}` : `${sign}${whole}`;
}
