import type { Keyring } from '../common/index.js';

/** How to reach one PostgreSQL database. */
export interface PostgresSettings {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** `verify-full` semantics of libpq when true. */
  readonly tls: boolean;
  /** Connections that one node opens at most. */
  readonly poolSize: number;
}

export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
}

/** A bucket, on AWS unless there is an endpoint. */
export interface S3Settings {
  readonly bucket: string;
  readonly endpoint?: string;
  readonly region: string;
  /** Without them the SDK looks for its own. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What the names of all objects begin with; no slash at its ends. */
  readonly prefix: string;
}

/** Attached files. */
export interface FileSettings {
  /** Where they are kept when there is no S3. */
  readonly directory: string;
  /** Largest file, bytes. */
  readonly maxBytes: number;
  /** Media types that are taken, such as `image/*`; none: any. */
  readonly types: readonly string[];
  /** Life of an address to download one. */
  readonly urlSeconds: number;
  readonly s3?: S3Settings;
}

/** Which traces are kept, by the names that OpenTelemetry gives to the ways. */
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** Where traces go, and how many of them. */
export interface TracingSettings {
  /** Whole address that takes OTLP over HTTP. */
  readonly url: string;
  /** Secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly sampler: (typeof SAMPLERS)[number];
  /** Share of the traces, for the samplers that have a ratio; 0 to 1. */
  readonly ratio: number;
}

/** Databases of other people that are read and edited through us. */
export interface ExternalSettings {
  /** Networks (CIDR) or addresses that may be connected to, besides public ones. */
  readonly allowedNetworks: readonly string[];
  readonly connectMs: number;
  /** Of one statement. */
  readonly statementMs: number;
  /** Of one answer. */
  readonly maxBytes: number;
  /** Sessions in one database. */
  readonly poolSize: number;
  /** Databases that are open at once. */
  readonly maxOpen: number;
  /** After which a session that nobody uses ends. */
  readonly idleMs: number;
  /** Tables, views, collections. */
  readonly maxObjects: number;
  /** How often an object that somebody follows is looked at; 0: never. */
  readonly pollMs: number;
  /** For how long a discovered schema is taken to be true. */
  readonly schemaMaxAgeMs: number;
}

/** Every setting of the process, validated. Nothing else reads the environment. */
export interface AppConfig {
  readonly environment: 'development' | 'test' | 'production';
  readonly name: string;
  readonly version: string;
  readonly port: number;
  readonly host: string;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** From so many milliseconds of the database on, a read or write of rows is told in the log; 0 is never. */
  readonly slowQueryMs: number;
  /** Absent: nothing is traced. */
  readonly tracing?: TracingSettings;
  /** Origins that browsers may call from; `*` is any origin, without credentials. */
  readonly corsOrigins: readonly string[];
  /** Number of proxies, or addresses, whose `X-Forwarded-For` counts. */
  readonly trustProxy: number | readonly string[];
  /** Largest request body, bytes. */
  readonly bodyLimit: number;
  /** Largest file of rows that is imported, bytes. */
  readonly importMaxBytes: number;
  /** Largest answer that is made of rows, bytes. */
  readonly responseLimit: number;
  /** How long a request may take to arrive whole, seconds. */
  readonly requestSeconds: number;
  /** Whether this node's numbers can be read, and by which token; by everybody without one. */
  readonly metrics: { readonly served: boolean; readonly token?: string };
  /** Whether there is a page at `/live`. */
  readonly livePage: boolean;
  readonly mainDb: PostgresSettings;
  readonly miniDb: PostgresSettings;
  /** True when this process started the databases itself. */
  readonly embedded: boolean;
  /** Without it the bus works inside this process only. */
  readonly redis?: RedisSettings;
  readonly jwt: {
    /** Signs and verifies. */
    readonly secret: string;
    /** Only verify: what they signed holds until it ends. */
    readonly previousSecrets: readonly string[];
    readonly accessSeconds: number;
    readonly refreshSeconds: number;
  };
  /** 32 bytes; cursors, credentials and what else is kept encrypted are so under keys derived from it. */
  readonly encryptionKey: Buffer;
  /** Only decrypt: what is still there from before the key was changed, or comes from nodes that have changed it already. */
  readonly previousEncryptionKeys: readonly Buffer[];
  readonly rateLimit: {
    /** Any request, per person or address. */
    readonly limit: number;
    readonly windowSeconds: number;
    /** Register, login and refresh, per address. */
    readonly authLimit: number;
    readonly authWindowSeconds: number;
    /** Requests to external databases, per person; in `windowSeconds`, as the next. */
    readonly externalLimit: number;
    /** Hosts that are tried, per person. */
    readonly connectLimit: number;
  };
  /** Origin, and path if any, of the interface that links in mails lead to; no slash at the end. */
  readonly appUrl: string;
  readonly mail: {
    /** Without it mails go to the log in development, and nowhere in production. */
    readonly smtpUrl?: string;
    readonly from: string;
  };
  readonly files: FileSettings;
  readonly external: ExternalSettings;
  /** Whether webhooks may be sent unencrypted. */
  readonly webhooks: { readonly mayBePlain: boolean };
  /** Views of one workspace. */
  readonly maxViews: number;
  /** Channels of one workspace that the sockets of this node follow together. */
  readonly maxFollowedPerWorkspace: number;
  /** What is copied at most to join over several databases, for one answer. */
  readonly joins: { readonly maxRows: number; readonly maxBytes: number };
  /** Seconds for which what was deleted can be brought back; then it is purged. */
  readonly trashSeconds: number;
  /** Seconds for which the change log is kept; forever without it. */
  readonly changeLogSeconds?: number;
  /** Whether indexes that would help are only listed, or added by themselves when they would help often. */
  readonly indexAdvice: 'suggest' | 'auto';
  /** Live rows above which the type of a column is changed in the background. */
  readonly conversionBackgroundRows: number;
  /** Folder for everything that the embedded form keeps on disk. */
  readonly dataDir: string;
}

/** The key that encrypts, and those that only decrypt. */
export const encryptionKeysOf = ({ encryptionKey, previousEncryptionKeys }: AppConfig): Keyring => [
  encryptionKey,
  ...previousEncryptionKeys,
];

/** Whether the server is reached by way of proxies that are ours. */
export const isBehindProxy = ({ trustProxy }: AppConfig): boolean =>
  typeof trustProxy === 'number' ? trustProxy > 0 : trustProxy.length > 0;

/** Injection token of {@link AppConfig}. */
export const APP_CONFIG = Symbol('APP_CONFIG');
