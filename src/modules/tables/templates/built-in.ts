import { TEMPLATE_FORMAT } from './template.js';

/** A template that comes with the product. */
export interface BuiltIn {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly document: Readonly<Record<string, unknown>> & {
    readonly tables: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[];
  };
}

const choices = (...labels: string[]) => ({ choices: labels.map((label) => ({ label })) });
const row = (ref: string, fields: object) => ({ ref, fields });
const EUR = { code: 'EUR', scale: 2 };

const CRM: BuiltIn = {
  id: 'crm',
  name: 'CRM',
  description: 'Companies, the people in them, deals with what they are worth, and tasks.',
  document: {
    format: TEMPLATE_FORMAT,
    name: 'CRM',
    description: 'Companies, the people in them, deals with what they are worth, and tasks.',
    tables: [
      {
        key: 'companies',
        name: 'Companies',
        columns: [
          { name: 'Name', type: 'text', required: true, unique: true },
          { name: 'Website', type: 'url' },
          { name: 'Industry', type: 'single_select', options: choices('Software', 'Retail', 'Health', 'Energy') },
          { name: 'Deal value', type: 'rollup', options: { linkColumn: 'deals', column: 'amount', fn: 'sum' } },
          { name: 'Open tasks', type: 'rollup', options: { linkColumn: 'deals', column: 'task_count', fn: 'sum' } },
          { name: 'Headcount', type: 'count', options: { linkColumn: 'people' } },
        ],
        rows: [
          row('northwind', { name: 'Northwind', website: 'https://northwind.example', industry: 'Retail' }),
          row('helios', { name: 'Helios', website: 'https://helios.example', industry: 'Energy' }),
          row('meridian', { name: 'Meridian', website: 'https://meridian.example', industry: 'Health' }),
        ],
      },
      {
        key: 'people',
        name: 'People',
        columns: [
          { name: 'Name', type: 'text', required: true },
          { name: 'Email', type: 'email', unique: true },
          { name: 'Phone', type: 'phone' },
          { name: 'Company', type: 'link', options: { table: 'companies', multiple: false, inverseName: 'People' } },
          { name: 'Industry', type: 'lookup', options: { linkColumn: 'company', column: 'industry' } },
        ],
        rows: [
          row('ines', { name: 'Ines Duarte', email: 'ines@northwind.example', company: 'northwind' }),
          row('tomas', { name: 'Tomas Berg', email: 'tomas@northwind.example', company: 'northwind' }),
          row('aiko', { name: 'Aiko Tanaka', email: 'aiko@helios.example', company: 'helios' }),
          row('sam', { name: 'Sam Okafor', email: 'sam@meridian.example', company: 'meridian' }),
        ],
      },
      {
        key: 'deals',
        name: 'Deals',
        columns: [
          { name: 'No', type: 'autonumber' },
          { name: 'Name', type: 'text', required: true },
          { name: 'Stage', type: 'single_select', default: 'lead', options: choices('Lead', 'Offer', 'Won', 'Lost') },
          { name: 'Amount', type: 'currency', options: EUR },
          { name: 'Closes', type: 'date' },
          { name: 'Company', type: 'link', options: { table: 'companies', multiple: false, inverseName: 'Deals' } },
          { name: 'Contacts', type: 'link', options: { table: 'people', inverseName: 'Deals' } },
          { name: 'Contact emails', type: 'lookup', options: { linkColumn: 'contacts', column: 'email' } },
          { name: 'Task count', type: 'count', options: { linkColumn: 'tasks' } },
        ],
        rows: [
          row('fitout', {
            name: 'Store fit-out',
            stage: 'Offer',
            amount: '48000.00',
            closes: '2027-03-31',
            company: 'northwind',
            contacts: ['ines', 'tomas'],
          }),
          row('support', {
            name: 'Support contract',
            stage: 'Won',
            amount: '12500.50',
            closes: '2027-01-15',
            company: 'northwind',
            contacts: ['ines'],
          }),
          row('panels', {
            name: 'Panel monitoring',
            stage: 'Lead',
            amount: '90000.00',
            closes: '2027-06-30',
            company: 'helios',
            contacts: ['aiko'],
          }),
        ],
      },
      {
        key: 'tasks',
        name: 'Tasks',
        columns: [
          { name: 'Title', type: 'text', required: true },
          { name: 'Done', type: 'boolean', default: false },
          { name: 'Due', type: 'date' },
          { name: 'Deal', type: 'link', options: { table: 'deals', multiple: false, inverseName: 'Tasks' } },
          { name: 'Deal stage', type: 'lookup', options: { linkColumn: 'deal', column: 'stage' } },
          { name: 'Part of', type: 'link', options: { table: 'tasks', multiple: false, inverseName: 'Parts' } },
        ],
        rows: [
          row('quote', { title: 'Send the quote', due: '2027-02-10', deal: 'fitout' }),
          row('measure', { title: 'Measure the shop', due: '2027-02-03', deal: 'fitout', part_of: 'quote' }),
          row('kickoff', { title: 'Plan the kick-off', due: '2027-01-20', done: true, deal: 'support' }),
        ],
      },
    ],
    views: [
      {
        name: 'Pipeline',
        description: 'Deals that are neither won nor lost.',
        definition: {
          source: { table: 'deals' },
          filter: { field: 'stage', op: 'in', value: ['lead', 'offer'] },
          sort: [{ field: 'closes', dir: 'asc' }],
          columns: ['name', 'stage', 'amount', 'closes', 'company'],
        },
        settings: { layout: { type: 'kanban', stackBy: 'stage', cardFields: ['name', 'amount'] } },
      },
      {
        name: 'Tasks to do',
        definition: {
          source: { table: 'tasks' },
          filter: { field: 'done', op: 'eq', value: false },
          sort: [{ field: 'due', dir: 'asc' }],
        },
        settings: { layout: { type: 'calendar', start: 'due', title: 'title' } },
      },
    ],
  },
};

export const TEMPLATES: readonly BuiltIn[] = [CRM];
