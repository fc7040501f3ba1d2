import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

/** One user who signs in by SCRAM-SHA-256 (RFC 7677). */
export interface Account {
  readonly username: string;
  readonly password: string;
}

const ITERATIONS = 4096;
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The server's side of one conversation. */
export class ScramConversation {
  private readonly salt = randomBytes(16);
  private first = '';
  private nonce = '';
  private username = '';

  constructor(
    private readonly account: Account,
    private readonly iterations = ITERATIONS,
  ) {}

  /** The server's first message. */
  begin(payload: string): string {
    const bare = payload.slice('n,,'.length);
    const fields = fieldsOf(bare);
    this.username = (fields.get('n') ?? '').replaceAll('=2C', ',').replaceAll('=3D', '=');
    this.nonce = `${fields.get('r') ?? ''}${randomBytes(18).toString('base64')}`;
    const first = `r=${this.nonce},s=${this.salt.toString('base64')},i=${this.iterations}`;
    this.first = `${bare},${first}`;
    return first;
  }

  /** The server's last message; undefined when the password is wrong. */
  finish(payload: string): string | undefined {
    const fields = fieldsOf(payload);
    const withoutProof = payload.slice(0, payload.lastIndexOf(',p='));
    const salted = pbkdf2Sync(this.account.password, this.salt, this.iterations, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const message = `${this.first},${withoutProof}`;
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
    const given = Buffer.from(fields.get('p') ?? '', 'base64');
    const isRight = given.length === proof.length && timingSafeEqual(given, proof);
    if (!isRight || fields.get('r') !== this.nonce || this.username !== this.account.username) return undefined;
    return `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`;
  }
}

const fieldsOf = (message: string): ReadonlyMap<string, string> =>
  new Map(message.split(',').map((field) => [field.slice(0, 1), field.slice(2)]));
