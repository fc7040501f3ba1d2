import { Problem } from './problem.js';

/** The refusal; undefined when allowed, and also when nobody can tell because the database is away. */
export async function refusalOf(question: Promise<unknown>): Promise<Problem | undefined> {
  try {
    await question;
    return undefined;
  } catch (error) {
    return error instanceof Problem && error.status < 500 ? error : undefined;
  }
}
