export { RowsModule } from './rows.module.js';
