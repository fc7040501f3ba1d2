import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsObject, IsOptional, IsString, Length, Max, Min, ValidateNested } from 'class-validator';

/** Where a client stands in the numbers of a channel: the last change that it has seen. */
export class PositionDto {
  /** @example '01a20530-ea87-76da-9e07-2f1773ec39f0' */
  @IsString()
  @Length(1, 64)
  epoch!: string;

  @ApiProperty({ type: 'integer', example: 41 })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  seq!: number;

  /** Part of the `meta` of rows, which may be given as it is; it decides nothing, since changes of the structure have numbers too. */
  @ApiPropertyOptional({ type: 'integer', example: 2 })
  @IsOptional()
  @IsInt()
  schemaVersion?: number;

  /** Part of the `meta` of the change log, which may be given as it is; it decides nothing. */
  @ApiPropertyOptional({ type: 'integer', example: 1 })
  @IsOptional()
  @IsInt()
  oldest?: number;
}

/** Names of collections have up to 255 bytes, those of databases up to 64. */
const MAX_CHANNEL = 400;

/** `subscribe` */
export class SubscribeMessage {
  /** `table:<id>`, `view:<id>`, `workspace:<id>`, or `object:<connection id>:<schema>.<name>`. @example 'table:01a20530-ea87-76da-9e07-24ab4bf004f6' */
  @IsString()
  @Length(1, MAX_CHANNEL)
  channel!: string;

  /** From `meta` of a REST answer, from the last event, or from the answer to an earlier subscription; without it the feed begins now. */
  @IsOptional()
  @IsObject() // an array of positions would pass the next line
  @ValidateNested()
  @Type(() => PositionDto)
  from?: PositionDto;
}

/** `unsubscribe` */
export class UnsubscribeMessage {
  /** @example 'table:01a20530-ea87-76da-9e07-24ab4bf004f6' */
  @IsString()
  @Length(1, MAX_CHANNEL)
  channel!: string;
}

/** `typing`: the cell is being written in just now. `idle`: nothing was done for a while. `away`: the window is hidden. */
export const PRESENCE_MODES = ['viewing', 'editing', 'typing', 'idle', 'away'] as const;
export type PresenceMode = (typeof PRESENCE_MODES)[number];

/** The cell that somebody is at; one of the two may be open. */
export class PresenceCursor {
  /** @example '01a20530-ec9c-753b-ae4a-b87b817f3b72' */
  @ApiProperty({ type: String, nullable: true, required: false })
  @IsOptional()
  @IsString()
  @Length(1, 64)
  rowId?: string | null;

  /** @example 'name' */
  @ApiProperty({ type: String, nullable: true, required: false })
  @IsOptional()
  @IsString()
  @Length(1, 64)
  columnKey?: string | null;
}

/** A rectangle of cells, from the one where the selection began to the one where it ends. */
export class PresenceSelection {
  @IsObject()
  @ValidateNested()
  @Type(() => PresenceCursor)
  from!: PresenceCursor;

  @IsObject()
  @ValidateNested()
  @Type(() => PresenceCursor)
  to!: PresenceCursor;
}

/** What somebody does at a channel. */
export class PresenceState {
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => PresenceCursor)
  cursor?: PresenceCursor;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => PresenceSelection)
  selection?: PresenceSelection;

  @ApiProperty({ enum: PRESENCE_MODES, required: false })
  @IsOptional()
  @IsIn(PRESENCE_MODES)
  mode?: PresenceMode;
}

/** `presence` */
export class PresenceMessage {
  /** @example 'table:01a20530-ea87-76da-9e07-24ab4bf004f6' */
  @IsString()
  @Length(1, MAX_CHANNEL)
  channel!: string;

  @IsObject()
  @ValidateNested()
  @Type(() => PresenceState)
  state!: PresenceState;
}

/** A cell of a table. */
export class LockedCell {
  /** @example '01a20530-ec9c-753b-ae4a-b87b817f3b72' */
  @IsString()
  @Length(1, 64)
  rowId!: string;

  /** @example 'name' */
  @IsString()
  @Length(1, 64)
  columnKey!: string;
}

/** `lock`, `unlock` */
export class LockMessage {
  /** `table:<id>`. @example 'table:01a20530-ea87-76da-9e07-24ab4bf004f6' */
  @IsString()
  @Length(1, MAX_CHANNEL)
  channel!: string;

  @IsObject()
  @ValidateNested()
  @Type(() => LockedCell)
  cell!: LockedCell;
}

/** `auth` */
export class AuthMessage {
  /** A fresh access token of the same person. */
  @IsString()
  @Length(1, 4096)
  token!: string;
}
