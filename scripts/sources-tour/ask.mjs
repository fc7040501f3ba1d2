/** The same five questions to several connections, and what they answer. */
export const QUESTIONS = [
  {
    title: 'The heaviest cars with more than 150 horsepower',
    question: {
      fields: ['name', 'weight_in_lbs', 'horsepower', 'built'],
      filter: { field: 'horsepower', op: 'gt', value: 150 },
      sort: [
        { field: 'weight_in_lbs', dir: 'desc' },
        { field: 'name', dir: 'asc' },
      ],
      page: { limit: 5 },
      count: 'exact',
    },
  },
  {
    title: 'Japanese cars whose name has "TOYOTA" in it, in any letter case, the thriftiest first',
    question: {
      fields: ['name', 'miles_per_gallon', 'displacement'],
      filter: {
        and: [
          { field: 'name', op: 'contains', value: 'TOYOTA' },
          { field: 'origin', op: 'eq', value: 'Japan' },
        ],
      },
      sort: [
        { field: 'miles_per_gallon', dir: 'desc' },
        { field: 'name', dir: 'asc' },
      ],
      page: { limit: 5 },
    },
  },
  {
    title: 'Cars of which the consumption is not known, those without horsepower first',
    question: {
      fields: ['name', 'horsepower', 'origin'],
      filter: {
        or: [
          { field: 'miles_per_gallon', op: 'isNull' },
          { field: 'horsepower', op: 'isNull' },
        ],
      },
      sort: [
        { field: 'horsepower', dir: 'asc' },
        { field: 'name', dir: 'asc' },
      ],
      page: { limit: 20 },
    },
  },
  {
    title: 'By origin: how many, and how strong on average',
    question: {
      groupBy: [{ field: 'origin' }],
      aggregates: [
        { as: 'cars', fn: 'count' },
        { as: 'power', fn: 'avg', field: 'horsepower' },
        { as: 'lightest', fn: 'min', field: 'weight_in_lbs' },
      ],
      sort: [{ field: 'cars', dir: 'desc' }],
    },
  },
  {
    title: 'By year: the years with more than 30 cars, and the quickest of each',
    question: {
      groupBy: [{ field: 'built', bucket: 'year', as: 'year' }],
      aggregates: [
        { as: 'cars', fn: 'count' },
        { as: 'quickest', fn: 'min', field: 'acceleration' },
      ],
      having: { field: 'cars', op: 'gt', value: 30 },
      sort: [{ field: 'year', dir: 'asc' }],
      tz: 'UTC',
    },
  },
];

/** What a connection answers to each of them: lists of rows, or of groups. */
export async function askAll(api, { id, from }) {
  const answers = [];
  for (const { question } of QUESTIONS) {
    const { body } = await api.call('POST', `/connections/${id}/query`, { body: { from, ...question }, status: 200 });
    answers.push({ data: body.data, count: body.count });
  }
  return answers;
}
