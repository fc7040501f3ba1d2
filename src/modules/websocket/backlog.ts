import { Injectable } from '@nestjs/common';
import type { LiveSocket } from './messages/index.js';

/** What may wait for a client that does not read, bytes; well above one full replay. */
const MAX_WAITING = 16 * 1024 * 1024;
/** What may wait for all clients of this node together, and is not the same for all of a room, bytes: sixteen full replays. */
const MAX_OWN_OF_ALL = 64 * 1024 * 1024;
/** A client that has to read more than this yet is not answered before it did. */
const MAX_BEFORE_ANSWER = 1024 * 1024;

/** What was written for one socket and is not with the operating system yet, bytes. */
interface Mail {
  /** Since the transport took something last. */
  waiting: number;
  /** Made for this socket alone, with what the transport has taken and not written yet. What a whole room gets is there once. */
  own: number;
  /** Called when there is less. */
  readonly waiters: Set<() => void>;
  readonly cut: () => void;
}

interface Packet {
  readonly data?: unknown;
  readonly options?: { readonly wsPreEncodedFrame?: unknown };
}

/**
 * Keeps what waits for clients that read more slowly than they are written to within bounds: each for itself, and all together, where the one
 * that most waits for is cut. It may come back and go on from the last number that it saw.
 */
@Injectable()
export class Backlog {
  private readonly mails = new Map<string, Mail>();
  /** The `own` of all. */
  private total = 0;

  get bytes(): number {
    return this.total;
  }

  /** From the first packet to the end of the socket. */
  watch(socket: LiveSocket): void {
    const { conn } = socket;
    const mail: Mail = { waiting: 0, own: 0, waiters: new Set(), cut: () => conn.close(true) };
    this.mails.set(socket.id, mail);
    conn.on('packetCreate', (packet: Packet) => this.add(mail, packet));
    conn.on('drain', () => (mail.waiting = 0));
    // The transport takes all that waits, and takes more when that is with the operating system.
    conn.on('flush', () => {
      const { own } = mail;
      if (own > 0) conn.transport.once('drain', () => this.release(mail, own));
    });
    conn.once('close', () => {
      this.mails.delete(socket.id);
      this.release(mail, mail.own);
    });
  }

  /** Resolves when the client has read most of what it was sent, or has gone. */
  async whenRead(socket: LiveSocket): Promise<void> {
    const mail = this.mails.get(socket.id);
    while (mail && mail.own > MAX_BEFORE_ANSWER) await new Promise<void>((resolve) => mail.waiters.add(resolve));
  }

  private add(mail: Mail, { data, options }: Packet): void {
    const bytes = typeof data === 'string' ? data.length : 0;
    mail.waiting += bytes;
    if (options?.wsPreEncodedFrame === undefined) {
      mail.own += bytes;
      this.total += bytes;
    }
    if (mail.waiting > MAX_WAITING) mail.cut();
    while (this.total > MAX_OWN_OF_ALL) {
      const before = this.total;
      this.slowest()?.cut();
      if (this.total >= before) break;
    }
  }

  private slowest(): Mail | undefined {
    return [...this.mails.values()].reduce<Mail | undefined>(
      (most, mail) => (most && most.own >= mail.own ? most : mail),
      undefined,
    );
  }

  private release(mail: Mail, bytes: number): void {
    const freed = Math.min(bytes, mail.own);
    mail.own -= freed;
    this.total -= freed;
    for (const wake of mail.waiters) wake();
    mail.waiters.clear();
  }
}
