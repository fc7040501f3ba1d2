import { Logger } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { isError } from '../../common/index.js';
import type { AppConfig } from '../../config/index.js';

/** A mail as it is read. */
export interface Message {
  readonly subject: string;
  /** Plain text; lines end with `\n`. */
  readonly text: string;
}

/** Hands a mail over. Rejects when it was not taken; a rejection is worth another try unless `isRefused` says otherwise. */
export type Transport = (to: string, message: Message) => Promise<void>;

/** The transport that the settings ask for: SMTP; without it the log in development, and nothing in production. */
export function transportFor({ mail, environment }: AppConfig): Transport {
  if (mail.smtpUrl !== undefined) return smtp(mail.smtpUrl, mail.from);
  const logger = new Logger('Mail');
  if (environment === 'production')
    return (_to, { subject }) => {
      logger.warn(`A mail was not sent, because SMTP_URL is not set: ${subject}`);
      return Promise.resolve();
    };
  return (to, { subject, text }) => {
    logger.log(`Mail to ${to} (SMTP_URL is not set)\nSubject: ${subject}\n\n${text}`);
    return Promise.resolve();
  };
}

/** Less than the lease of a mail: nobody else takes it meanwhile. */
const SEND_WITHIN_MS = 40_000;

/** Over SMTP; `withinMs` bounds the whole of one mail. */
export function smtp(url: string, from: string, withinMs = SEND_WITHIN_MS): Transport {
  const transport = createTransport({
    url,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    // A text of ours that names a file or an address must never be taken for one to read.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async (to, { subject, text }) => {
    // The time-outs above begin anew with every byte; a server that drips would hold the whole queue.
    const signal = AbortSignal.timeout(withinMs);
    await transport.sendMail({ from, to: { name: '', address: to }, subject, text, signal });
  };
}

/** What the log may tell of a failure: the server's own words quote addresses. */
export function failureOf(error: unknown): object {
  const { code, responseCode, command } = Object(error) as Readonly<Record<string, unknown>>;
  return { code, responseCode, command };
}

/** Whether the mail server said for good that it will not take this mail (RFC 5321, section 4.2.1: replies of 5yz). */
export function isRefused(error: unknown): boolean {
  if (!isError(error) || !('responseCode' in error)) return false;
  const { responseCode } = error;
  return typeof responseCode === 'number' && responseCode >= 500 && responseCode !== 535;
}
