import { newId, Problem, type Caller, type Id, type Principal } from '../../common/index.js';
import type { ExternalObject } from '../connections/index.js';
import type { Feed } from './feed/index.js';
import type { LiveSocket, SubscribedAnswer } from './messages/index.js';

interface Followed {
  readonly channel: string;
  readonly workspaceId: Id;
}

/** A channel whose events have numbers. */
interface NumberedSubscription extends Followed {
  readonly feed: Feed;
  /** In the room; false while the feed lets it in. */
  joined: boolean;
}

/** The channel of something that rules may keep somebody from part of. */
interface RuledSubscription extends NumberedSubscription {
  /** Names what the person sees of it, where that is not all. */
  readonly sight?: string;
}

export interface TableSubscription extends RuledSubscription {
  readonly kind: 'table';
  readonly tableId: Id;
}

export interface WorkspaceSubscription extends NumberedSubscription {
  readonly kind: 'workspace';
}

export interface ViewSubscription extends RuledSubscription {
  readonly kind: 'view';
  /** Tables of ours that it shows. */
  readonly tableIds: readonly Id[];
  /** Those of other databases that the view shows. */
  readonly objects: readonly ExternalObject[];
  readonly tells: NonNullable<SubscribedAnswer['tells']>;
}

/** The channel of an object of an external database. */
export interface ObjectSubscription extends Followed {
  readonly kind: 'object';
  readonly object: ExternalObject;
}

/** A channel that a socket follows, or is about to. */
export type Subscription = FeedSubscription | ObjectSubscription;
export type FeedSubscription = TableSubscription | WorkspaceSubscription | ViewSubscription;

/** Longest delay of a timer; later ends are looked at again then. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One socket: who is behind it, until when, and what it follows. */
export class Connection {
  readonly subscriptions = new Map<string, Subscription>();
  /** Messages that wait or are being worked on. */
  pending = 0;
  /** Nothing may be begun for it any more. */
  closed = false;
  private last: Promise<void> = Promise.resolve();
  private expiry: NodeJS.Timeout | undefined;

  constructor(
    readonly socket: LiveSocket,
    public token: string,
    public principal: Principal,
  ) {}

  /** Begins the time that the token leaves. */
  start(): void {
    this.renew(this.token, this.principal);
  }

  /** The caller as the access rules want to know him. */
  caller(): Caller {
    const { handshake } = this.socket;
    return {
      principal: this.principal,
      request: {
        requestId: newId(),
        ip: handshake.address,
        userAgent: (handshake.headers['user-agent'] ?? '').slice(0, 255),
      },
    };
  }

  /** Takes a token as the one that the socket lives by, and ends with. */
  renew(token: string, principal: Principal): void {
    this.token = token;
    this.principal = principal;
    clearTimeout(this.expiry);
    const left = principal.expiresAt * 1000 - Date.now();
    const onTime = (): void => {
      if (left > MAX_TIMER_MS) this.renew(token, principal);
      else
        this.end(new Problem('token_expired', { detail: 'Send a fresh token with "auth" before the old one ends.' }));
    };
    this.expiry = setTimeout(onTime, Math.min(Math.max(left, 0), MAX_TIMER_MS));
    this.expiry.unref();
  }

  /** Says why, then closes; the client does not reconnect by itself after this. */
  end(problem: Problem): void {
    this.socket.emit('control', { type: 'revoked', error: problem.body() });
    this.socket.disconnect(true);
  }

  stop(): void {
    this.closed = true;
    clearTimeout(this.expiry);
  }

  /** Runs `work`, which must not reject, when all earlier work is done: the messages of a socket take effect in the order in which they came. */
  inTurn(work: () => Promise<void>): Promise<void> {
    this.last = this.last.then(work);
    return this.last;
  }
}
