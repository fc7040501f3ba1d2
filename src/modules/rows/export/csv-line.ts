/** RFC 4180, section 2: the end of each line, the last one too. */
export const CRLF = '\r\n';

/** A header line. Names that a spreadsheet would take for a formula are made harmless as cells are. */
export const headerLine = (names: readonly string[]): string => names.map(headerCell).join(',') + CRLF;

function headerCell(name: string): string {
  const harmless = guardFormula(name);
  return /[",\r\n]|^$|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** The texts that a spreadsheet would run, in the words of {@link FORMULA}; apostrophes before it make none of them harmless twice. */
export const guardFormula = (text: string): string => (/^'*[=+@\t\r-]/.test(text) ? `'${text}` : text);

/** The text before {@link guardFormula}. */
export const unguardFormula = (text: string): string => (/^'+[=+@\t\r-]/.test(text) ? text.slice(1) : text);
