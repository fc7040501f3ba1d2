/** Where published views are, on this host; beside the API and not below it. */
export const PUBLIC_PREFIX = 'public/views';
