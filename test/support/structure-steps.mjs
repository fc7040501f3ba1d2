import { text } from 'node:stream/consumers';
import { createApp } from '../../dist/app.setup.js';
import { loadConfig } from '../../dist/config/index.js';
import { Conversions } from '../../dist/modules/tables/columns/convert/conversions.service.js';
import { ColumnConversionEntity } from '../../dist/modules/tables/columns/convert/background/column-conversion.entity.js';
import { ConversionWork } from '../../dist/modules/tables/columns/convert/background/conversion-work.js';
import { BasePurge } from '../../dist/modules/tables/purge/base-purge.js';
import { TablePurge } from '../../dist/modules/tables/purge/table-purge.js';
import { WorkspacePurge } from '../../dist/modules/workspaces/workspace-purge.js';
import { DataSource } from 'typeorm';

/**
 * A process of its own, to be killed between two steps of structure changes that the server makes by itself, of all of them at once. It
 * listens to nobody and has no background work (it is never initialised), so it does these and nothing else.
 * Standard input: `{workspaceId, userId, steps: [{kind, tableId?, baseId?, columnId?}]}`; prints `[null | error]` in their order.
 */
const { workspaceId, userId, steps } = JSON.parse(await text(process.stdin));
const app = await createApp(loadConfig(process.env));

const conversionOf = ({ columnId }) =>
  app.get(DataSource).manager.findOneByOrFail(ColumnConversionEntity, { columnId });
const STEPS = {
  'base.purge': ({ baseId }) => app.get(BasePurge).purge(baseId),
  'workspace.purge': () => app.get(WorkspacePurge).sweep(),
  'table.purge': ({ tableId }) => app.get(TablePurge).purgeTable(tableId, () => true),
  'column.purge': ({ tableId }) => app.get(TablePurge).purgeColumns(tableId),
  'table.rebuild': ({ tableId }) => app.get(TablePurge).rebuild(tableId),
  'conversion.begin': async ({ tableId, columnId }) => {
    const access = {
      workspaceId,
      principal: { userId, name: 'Owner' },
      request: { requestId: 'steps', ip: '127.0.0.1' },
    };
    const request = { to: { type: 'integer' }, onError: 'abort' };
    const { confirmToken } = await app.get(Conversions).tryOut(tableId, columnId, request);
    await app.get(Conversions).convert(access, tableId, columnId, { ...request, confirmToken });
  },
  'conversion.exchange': async (step) => {
    const conversion = await conversionOf(step);
    await app.get(ConversionWork).fill(conversion, () => true);
    await app.get(ConversionWork).exchange(conversion);
  },
  'conversion.take_back': async (step) => app.get(ConversionWork).takeBack(await conversionOf(step)),
};
const ended = await Promise.allSettled(steps.map((step) => STEPS[step.kind](step)));
const told = ({ reason }) => (reason === undefined ? null : `${reason.constructor.name}: ${reason.stack}`);
console.log(JSON.stringify(ended.map(told)));
await app.close();
