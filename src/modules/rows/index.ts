export { CRLF, guardFormula, headerLine } from './export/csv-line.js';
export { LineStream, type TextSource } from './export/line-stream.js';
export { RowsModule } from './rows.module.js';
