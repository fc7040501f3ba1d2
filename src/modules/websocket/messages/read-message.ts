import type { Type } from '@nestjs/common';
import { invalid, validationPipe } from '../../../common/index.js';

const pipe = validationPipe();

/**
 * The body of a client message, checked by the same rules as a body over HTTP: unknown properties and wrong types are a 422.
 * `args` is what the client sent after the event's name, without the acknowledgement.
 */
export async function readMessage<T extends object>(args: readonly unknown[], shape: Type<T>): Promise<T> {
  const [body] = args;
  if (args.length !== 1 || !isPlainObject(body)) {
    throw invalid([{ pointer: '', code: 'not_an_object', detail: 'Send exactly one object with the message.' }]);
  }
  // class-transformer skips this name silently.
  if (Object.hasOwn(body, '__proto__')) {
    throw invalid([
      { pointer: '/__proto__', code: 'unknown_property', detail: 'Property __proto__ is not known here.' },
    ]);
  }
  return (await pipe.transform(body, { type: 'body', metatype: shape })) as T;
}

const isPlainObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
