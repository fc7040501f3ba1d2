import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { must } from '../../src/common/index.js';
import { projectRoot } from '../../src/config/index.js';
import { client, expectStatus } from '../harness/index.js';

interface Ref {
  readonly $ref: string;
}
interface Operation {
  readonly action: 'send' | 'receive';
  readonly messages: readonly Ref[];
  readonly reply?: { readonly messages: readonly Ref[] };
  readonly 'x-permission'?: string;
}
interface Message {
  readonly name: string;
  readonly payload: Ref | { readonly oneOf: readonly Ref[] };
  readonly examples: readonly { readonly name: string; readonly payload: object }[];
}

/** As much of an AsyncAPI 3 document as the tests look at. */
export interface AsyncApi {
  readonly asyncapi: string;
  readonly info: { readonly version: string };
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: {
    readonly messages: Readonly<Record<string, Message>>;
    readonly schemas: Readonly<Record<string, object>>;
  };
}

export const servedAsyncApi = async (base: string): Promise<AsyncApi> =>
  expectStatus(await client(base).get<AsyncApi>('/api/docs/asyncapi.json'), 200);

/** What the official parser holds against a document (JSON or YAML); severity 0 is an error. */
export function findingsOf(text: string): { readonly severity: number; readonly message: string }[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [path.join(projectRoot, 'scripts/asyncapi-check.mjs')],
    { input: text, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the parser failed:\n${stderr}`);
  return JSON.parse(stdout) as { severity: number; message: string }[];
}

const nameOf = ({ $ref }: Ref): string => must($ref.split('/').at(-1), 'a reference ends with a name');

/** The ids of messages that clients send, each with the ids of its acknowledgements. */
export const clientMessages = ({ operations }: AsyncApi): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.values(operations)
      .filter(({ action }) => action === 'receive')
      .map(({ messages, reply }) => [nameOf(must(messages[0], 'one message')), (reply?.messages ?? []).map(nameOf)]),
  );

/** The classes one of which the payload of a message is. */
export function classesOf(document: AsyncApi, messageId: string): readonly string[] {
  const { payload } = must(document.components.messages[messageId], `the document has the message ${messageId}`);
  return ('oneOf' in payload ? payload.oneOf : [payload]).map(nameOf);
}

/** Holds real payloads against the schemas of the document. */
export class Wire {
  /** The classes that were seen, so that a test can say that nothing was left out. */
  readonly seen = new Set<string>();
  private readonly validators: ReadonlyMap<string, ValidateFunction>;

  constructor(readonly document: AsyncApi) {
    const ajv = new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true });
    formats.default(ajv);
    ajv.addKeyword('components');
    const { schemas } = document.components;
    ajv.addSchema({ $id: 'document', components: { schemas } });
    this.validators = new Map(
      Object.keys(schemas).map((name) => [name, ajv.compile({ $ref: `document#/components/schemas/${name}` })]),
    );
  }

  /** What is wrong with a payload of these messages: empty when it is exactly one of their classes. */
  findings(messageIds: readonly string[], payload: unknown): readonly string[] {
    const classes = messageIds.flatMap((id) => classesOf(this.document, id));
    const fitting = classes.filter((name) => this.validator(name)(payload));
    if (fitting.length === 1) {
      this.seen.add(must(fitting[0], 'one'));
      return [];
    }
    if (fitting.length > 1) return [`is ${fitting.join(' and ')} at once`];
    return classes.map((name) => {
      const validate = this.validator(name);
      validate(payload);
      const [error] = validate.errors ?? [];
      return `is no ${name}: ${error?.instancePath ?? ''} ${error?.message ?? ''} ${JSON.stringify(error?.params)}`;
    });
  }

  /** The same for something that the server sent under the name of an event. */
  findingsOfEvent(event: string, payload: unknown): readonly string[] {
    const sent = Object.values(this.document.operations)
      .filter(({ action }) => action === 'send')
      .flatMap(({ messages }) => messages.map(nameOf))
      .filter((id) => this.document.components.messages[id]?.name === event);
    return sent.length === 0 ? [`the document knows no event ${event}`] : this.findings(sent, payload);
  }

  private validator(name: string): ValidateFunction {
    return must(this.validators.get(name), `the document has the schema ${name}`);
  }
}
