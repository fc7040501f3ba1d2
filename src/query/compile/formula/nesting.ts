let depth = 0;

/**
 * Makes something within a name that is free there: each level of nesting has a number of its own, so that nothing that is made within
 * another can take its name, and what is made side by side has the same names.
 */
export function nested<T>(make: (level: number) => T): T {
  const level = depth++;
  try {
    return make(level);
  } finally {
    depth = level;
  }
}
