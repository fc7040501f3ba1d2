import { SMTPServer } from 'smtp-server';
import { afterThisFile, freePort } from './run.js';
import { waitFor } from './wait-for.js';

/** A mail as it arrived. */
export interface ReceivedMail {
  readonly to: string;
  /** Headers and text, decoded. */
  readonly text: string;
}

/** A mail server that keeps what it is given. */
export interface Mailbox {
  /** For the setting SMTP_URL. */
  readonly url: string;
  readonly mails: readonly ReceivedMail[];
  /** Answers every mail with this reply code from now on; 0 takes them again. */
  refuse(code: number): void;
  /** How many mails were offered, refused ones included. */
  offered(): number;
  /** The newest mail to an address, already received or still to come. */
  to(address: string, ms?: number): Promise<ReceivedMail>;
}

/** Starts one on a free port; it ends after the tests of this file. */
export async function mailbox(): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  let refusal = 0;
  let offered = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        offered++;
        if (refusal > 0) {
          done(Object.assign(new Error('not now'), { responseCode: refusal }));
          return;
        }
        const text = decoded(Buffer.concat(chunks).toString());
        for (const { address } of envelope.rcptTo) mails.push({ to: address, text });
        done();
      });
    },
  });
  server.on('error', () => undefined); // a client that goes away in the middle
  const port = await freePort();
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  afterThisFile(() => new Promise<void>((resolve) => server.close(resolve)));
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    refuse: (code) => void (refusal = code),
    offered: () => offered,
    to: (address, ms = 10_000) => waitFor(() => mails.findLast(({ to }) => to === address), ms),
  };
}

/** Quoted-printable (RFC 2045, section 6.7), where the mail says that it is. */
function decoded(raw: string): string {
  if (!/content-transfer-encoding: quoted-printable/i.test(raw)) return raw;
  const bytes = raw
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
