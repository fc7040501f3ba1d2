import { isPayloadOf, isTopic, type Topic, type Topics } from './topics.js';

/** A fact on its way between nodes. `node` is the sender, which ignores its own echo. */
export interface Message<T extends Topic = Topic> {
  readonly node: string;
  readonly topic: T;
  readonly payload: Topics[T];
}

export const encodeMessage = (message: Message): string => JSON.stringify(message);

/** The message, or undefined for anything that is not one: Redis may be shared, and nodes may be of different versions. */
export function decodeMessage(text: string): Message | undefined {
  const message = parse(text);
  if (typeof message !== 'object' || message === null) return undefined;
  const { node, topic, payload }: { node?: unknown; topic?: unknown; payload?: unknown } = message;
  if (typeof node !== 'string' || !isTopic(topic) || !isPayloadOf(topic, payload)) return undefined;
  return { node, topic, payload };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
