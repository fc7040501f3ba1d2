import { TEMPLATE_FORMAT } from './template.js';

/** Bodies that make a base, for the documentation. */
export const EXAMPLES = {
  builtIn: { summary: 'One that comes with the product', value: { templateId: 'crm', name: 'Our CRM' } },
  document: {
    summary: 'A document of one\u2019s own',
    value: {
      name: 'Our projects',
      template: {
        format: TEMPLATE_FORMAT,
        name: 'Projects',
        description: 'Who does what',
        tables: [
          {
            key: 'projects',
            name: 'Projects',
            color: 'teal',
            icon: '\u{1f4cc}',
            columns: [{ key: 'name', name: 'Name', type: 'text', required: true, unique: true }],
            rows: [{ ref: 'garden', fields: { name: 'Garden' } }],
          },
          {
            key: 'tasks',
            name: 'Tasks',
            columns: [
              { key: 'title', name: 'Title', type: 'text' },
              { key: 'hours', name: 'Hours', type: 'decimal', default: '1.5', options: { scale: 1 } },
              { key: 'project', name: 'Project', type: 'link', options: { table: 'projects', inverseName: 'Tasks' } },
            ],
            rows: [{ fields: { title: 'Dig', project: ['garden'] } }],
          },
        ],
        views: [
          {
            name: 'Long tasks',
            definition: { source: { table: 'tasks' }, filter: { field: 'hours', op: 'gt', value: '8' } },
            settings: { layout: { type: 'grid', columns: [{ key: 'title', width: 240 }] } },
          },
        ],
      },
    },
  },
};
