import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { ProblemBody } from '../../../common/index.js';
import { ProblemDto } from '../../../common/errors/problem.dto.js';
import { LockedCell, PresenceState } from './messages.dto.js';

/** Why a feed cannot go on from where a client stands. */
export const RESET_REASONS = ['epoch_changed', 'ahead', 'too_far', 'changes_gone', 'rights_changed'] as const;
export type ResetReason = (typeof RESET_REASONS)[number];

/** What the channel of a view tells: what happened to its rows, or that it is to be read again. */
export const VIEW_TELLS = ['rows', 'invalidated'] as const;

/** What every acknowledgement of success says. */
class DoneAnswer {
  @ApiProperty({ enum: [true] })
  readonly ok!: true;
}

/** The feed has begun: with what is new (`live`), or with what was missed, which follows at once (`replay`). */
export class SubscribedAnswer extends DoneAnswer {
  readonly channel!: string;
  @ApiProperty({ enum: ['live', 'replay'] })
  readonly mode!: 'live' | 'replay';
  @ApiProperty({ format: 'uuid' })
  readonly epoch!: string;
  @ApiProperty({ type: 'integer', description: 'The last number that the client has when the replay is done.' })
  readonly seq!: number;
  @ApiPropertyOptional({ type: 'integer', description: 'Of the table; a workspace has none.' })
  readonly schemaVersion?: number;
  @ApiPropertyOptional({
    enum: VIEW_TELLS,
    description: 'Of a view: each change of its rows, or only that it is to be read again.',
  })
  readonly tells?: (typeof VIEW_TELLS)[number];
}

/** An object of an external database is followed from now on; there are no numbers, for nobody keeps a log of its changes. */
export class ObjectSubscribedAnswer extends DoneAnswer {
  readonly channel!: string;
  @ApiProperty({ enum: ['live'] })
  readonly mode!: 'live';
}

/** Nothing was subscribed: read again over REST, then subscribe; to a table with the `meta` of that answer. */
export class ResetAnswer extends DoneAnswer {
  readonly channel!: string;
  @ApiProperty({ enum: ['reset'] })
  readonly mode!: 'reset';
  @ApiProperty({ format: 'uuid' })
  readonly epoch!: string;
  @ApiProperty({ type: 'integer', description: 'The newest number of the channel.' })
  readonly seq!: number;
  @ApiPropertyOptional({ type: 'integer', description: 'Of the table; a workspace has none.' })
  readonly schemaVersion?: number;
  @ApiProperty({ enum: RESET_REASONS })
  readonly reason!: ResetReason;
}

/** The channel is not followed any more, or never was. */
export class UnsubscribedAnswer extends DoneAnswer {
  readonly channel!: string;
}

/** The socket lives as long as this token now. */
export class AuthenticatedAnswer extends DoneAnswer {
  @ApiProperty({ format: 'date-time' })
  readonly expiresAt!: string;
}

/** The person, or what a person does. */
export class PresentUser {
  @ApiProperty({ format: 'uuid' })
  readonly id!: string;
  readonly name!: string;
}

/** Somebody who is at a channel. */
export class PresentPerson {
  @ApiProperty({ format: 'uuid', description: 'Of one socket at one channel: a person may be there several times.' })
  readonly presenceId!: string;
  @ApiProperty({ type: () => PresentUser })
  readonly user!: PresentUser;
  @ApiProperty({ type: () => PresenceState })
  readonly state!: PresenceState;
}

/** A cell that somebody asks others to leave to him. */
export class CellLock {
  @ApiProperty({ type: () => LockedCell })
  readonly cell!: LockedCell;
  @ApiProperty({ type: () => PresentUser })
  readonly user!: PresentUser;
}

/** Whose the cell is now. */
export class LockAnswer extends CellLock {
  @ApiProperty({ enum: [true] })
  readonly ok!: true;
  readonly channel!: string;
  @ApiProperty({ description: 'False where another window holds it, which `user` says.' })
  readonly mine!: boolean;
  @ApiPropertyOptional({ format: 'date-time', description: 'It ends then, unless it is renewed.' })
  readonly until?: string;
}

/** The socket does not hold the cell any more, or never did. */
export class UnlockAnswer extends DoneAnswer {
  readonly channel!: string;
  @ApiProperty({ type: () => LockedCell })
  readonly cell!: LockedCell;
}

/** The socket is at the channel, and these are as well. */
export class PresenceAnswer extends DoneAnswer {
  readonly channel!: string;
  @ApiProperty({ format: 'uuid', description: 'What others know this socket by.' })
  readonly presenceId!: string;
  @ApiProperty({ type: () => [PresentPerson], description: 'Up to 200 others.' })
  readonly present!: readonly PresentPerson[];
  @ApiProperty({ type: () => [CellLock], description: 'Up to 200 cells that are locked.' })
  readonly locks!: readonly CellLock[];
}

/** The message was refused, and nothing was done. */
export class RefusedAnswer {
  @ApiProperty({ enum: [false] })
  readonly ok!: false;
  @ApiProperty({ type: () => ProblemDto })
  readonly error!: ProblemBody;
}
