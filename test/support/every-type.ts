const CHOICES = { choices: [{ label: 'Red' }, { label: 'Blue' }, { label: 'Green' }] };
/** A column of every type that people write, but for links and files. */
export const EVERY_TYPE = [
  { name: 'Name', type: 'text', default: 'new' },
  { name: 'Notes', type: 'long_text' },
  { name: 'Qty', type: 'integer' },
  { name: 'Amount', type: 'decimal', options: { scale: 2 } },
  { name: 'Price', type: 'currency' },
  { name: 'Share', type: 'percent' },
  { name: 'Stars', type: 'rating' },
  { name: 'Spent', type: 'duration' },
  { name: 'Active', type: 'boolean' },
  { name: 'Due', type: 'date' },
  { name: 'Seen', type: 'datetime' },
  { name: 'Status', type: 'single_select', options: CHOICES },
  { name: 'Tags', type: 'multi_select', options: CHOICES },
  { name: 'Data', type: 'json' },
  { name: 'Site', type: 'url' },
  { name: 'Mail', type: 'email' },
  { name: 'Phone', type: 'phone' },
  { name: 'Nr', type: 'autonumber' },
];
