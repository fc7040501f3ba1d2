/** A name, of CSS or of the palette of whoever shows it (`teal`, `blueLight2`, `dark-red`), or a hexadecimal colour of CSS Color Module Level 4, section 5.2. */
const COLOR = /^(?:[a-z][a-z0-9_-]{0,31}|#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}))$/i;

/** Whether a text may be the colour of something; nothing of it could end a style sheet or an attribute. */
export const isColor = (value: unknown): value is string => typeof value === 'string' && COLOR.test(value);

/** What is expected, for people. */
export const COLOR_RULE = 'a name of letters, digits, hyphens and underscores, such as teal, or #rrggbb';
