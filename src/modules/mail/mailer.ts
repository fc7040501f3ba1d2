import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { inTrace, noteFailure, SpanKind } from '../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import type { AuditedManager, OutboxEvent } from '../../database/main/index.js';
import { EventBus } from '../events/index.js';
import { MailQueue, type ClaimedMail, type MailRequest } from './mail-queue.js';
import { failureOf, isRefused, transportFor, type Message, type Transport } from './mail-transport.js';

/** What waits for its next try, and what another node left behind, is looked for this often. */
const SWEEP_EVERY_MS = 5_000;
const FORGET_EVERY_MS = 10 * 60_000;
const MAX_ATTEMPTS = 10;
/** Seconds until the next try: 10, 20, 40 … up to twenty minutes. */
const waitAfter = (attempts: number): number => Math.min(10 * 2 ** (attempts - 1), 1_200);

/** Writes the mail at the moment at which it is sent; undefined when there is nothing to say any more. */
export type Template = (to: string, data: Readonly<Record<string, string>>) => Promise<Message | undefined>;

/**
 * Sends mails that were ordered in a transaction, after its commit and apart from any request: nobody waits for a mail
 * server, and how long a mail takes tells nobody whether an address is known. At least once; again for an hour when it fails.
 */
@Injectable()
export class Mailer implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Mail');
  private readonly templates = new Map<string, Template>();
  private readonly transport: Transport;
  private timers: readonly NodeJS.Timeout[] = [];
  private stopListening: (() => void) | undefined;
  private sending: Promise<void> | undefined;
  private woken = false;
  private stopped = false;

  constructor(
    private readonly queue: MailQueue,
    private readonly bus: EventBus,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {
    this.transport = transportFor(config);
  }

  onModuleInit(): void {
    this.stopListening = this.bus.on('mail.queued', () => this.wake());
    this.timers = [
      setInterval(() => this.wake(), SWEEP_EVERY_MS),
      setInterval(() => void this.queue.sweep().catch(() => undefined), FORGET_EVERY_MS),
    ];
    for (const timer of this.timers) timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    this.stopListening?.();
    await this.sending;
  }

  /** Teaches one kind of mail; once per name, at the start. */
  register(name: string, template: Template): void {
    if (this.templates.has(name)) throw new Error(`Mail template ${name} is registered already.`);
    this.templates.set(name, template);
  }

  /** Orders a mail within the caller's transaction; the event goes into its answer. */
  order(manager: AuditedManager, request: MailRequest): Promise<OutboxEvent> {
    return this.queue.add(manager, request);
  }

  /** The address of a page of the interface, for a link in a mail. `path` begins with a slash. */
  link(path: string): string {
    return `${this.config.appUrl}${path}`;
  }

  private wake(): void {
    this.woken = true;
    this.sending ??= this.sendAll().finally(() => (this.sending = undefined));
  }

  private async sendAll(): Promise<void> {
    try {
      // Ordered between an empty answer and the end of this loop: looked for once more.
      while (this.woken) {
        this.woken = false;
        for (let mail = await this.next(); mail; mail = await this.next()) await this.send(mail);
      }
    } catch (error) {
      // The main database is away; health says so, and the next sweep tries again.
      this.logger.debug({ msg: 'The mail queue cannot be read', err: error });
    }
  }

  private async next(): Promise<ClaimedMail | undefined> {
    return this.stopped ? undefined : this.queue.claim();
  }

  /** Of the mail a trace tells the kind, and how often it was tried. */
  private send(mail: ClaimedMail): Promise<void> {
    const attributes = { 'live_tables.mail_template': mail.template, 'live_tables.attempt': mail.attempts };
    return inTrace('mail.send', attributes, () => this.sendNow(mail), SpanKind.CLIENT);
  }

  private async sendNow(mail: ClaimedMail): Promise<void> {
    const { id, template, to, data = {}, attempts } = mail;
    try {
      if (attempts === 1 && !(await this.queue.mayReceive(to, template))) {
        this.logger.warn(`A mail was not sent (${template}): its receiver had too many in this hour.`);
      } else {
        const message = await this.templates.get(template)?.(to, data);
        if (message) await this.transport(to, message);
      }
      await this.queue.remove(id);
    } catch (error) {
      noteFailure(error);
      const hopeless = isRefused(error) || attempts >= MAX_ATTEMPTS;
      // Without the address: whom we write to is nobody's business who reads logs.
      this.logger.warn({
        msg: `A mail could not be sent (${template}, try ${attempts})`,
        givenUp: hopeless,
        ...failureOf(error),
      });
      await (hopeless ? this.queue.remove(id) : this.queue.postpone(id, waitAfter(attempts)));
    }
  }
}
