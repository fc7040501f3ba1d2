export { CRLF, guardFormula, headerLine } from './export/csv-line.js';
export { RowsModule } from './rows.module.js';
