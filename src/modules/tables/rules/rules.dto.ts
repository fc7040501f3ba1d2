import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsObject,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { IsId, IsName, MayBeAbsent } from '../../../common/index.js';
import { MAX_RULES, RULED_ROLES, type RuledRole, type RuleFilter } from './rule.js';

const MAX_MEMBERS = 1_000;
const MAX_KEYS = 500;

const FILTER_DOC = {
  type: 'object' as const,
  additionalProperties: true,
  description:
    'A filter in JSON syntax. `{"$me":true}` is whoever asks, `{"$attr":"region"}` an attribute of that member. Without it: every row.',
  example: { field: 'owner', op: 'eq', value: { $me: true } },
};

const IsFilter = (): PropertyDecorator => (target, key) => {
  ApiPropertyOptional(FILTER_DOC)(target, key);
  MayBeAbsent()(target, key);
  IsObject()(target, key);
};

const Keys =
  (description: string): PropertyDecorator =>
  (target, key) => {
    ApiPropertyOptional({ type: [String], description, example: [] })(target, key);
    MayBeAbsent()(target, key);
    IsArray()(target, key);
    ArrayMaxSize(MAX_KEYS)(target, key);
    ArrayUnique()(target, key);
    IsString({ each: true })(target, key);
    MaxLength(255, { each: true })(target, key);
  };

/** For whom; whoever has one of the roles, or is one of the members. */
export class RuleAppliesToDto {
  @ApiPropertyOptional({ enum: RULED_ROLES, isArray: true, example: ['editor'] })
  @MayBeAbsent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(RULED_ROLES, { each: true })
  roles?: RuledRole[];

  /** Ids of memberships. */
  @MayBeAbsent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_MEMBERS)
  @ArrayUnique()
  @IsString({ each: true })
  memberIds?: string[];
}

export class RuleRowsDto {
  @IsFilter()
  filter?: RuleFilter;
}

export class RuleCreateDto {
  /** Whether rows may be made at all. @example true */
  @MayBeAbsent()
  @IsBoolean()
  allow?: boolean;

  @IsFilter()
  check?: RuleFilter;
}

export class RuleColumnsDto {
  @Keys('Columns that are not there for them, with all that is computed from these.')
  hidden?: string[];

  @Keys('Columns that they may read and not write.')
  readOnly?: string[];
}

/** What is left out is left to the role. */
export class RuleDto {
  /** @example 'Editors see their own rows' */
  @IsName()
  name!: string;

  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => RuleAppliesToDto)
  appliesTo?: RuleAppliesToDto;

  /** Which rows can be read. */
  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => RuleRowsDto)
  read?: RuleRowsDto;

  /** Which of these may be changed, as they are and as they become. */
  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => RuleRowsDto)
  update?: RuleRowsDto;

  /** What new rows have to be like. */
  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => RuleCreateDto)
  create?: RuleCreateDto;

  /** Which of the rows that can be read may be deleted. */
  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => RuleRowsDto)
  delete?: RuleRowsDto;

  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => RuleColumnsDto)
  columns?: RuleColumnsDto;
}

export class PutRulesDto {
  @ApiProperty({ type: [RuleDto], maxItems: MAX_RULES })
  @IsArray()
  @ArrayMaxSize(MAX_RULES)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => RuleDto)
  rules!: RuleDto[];
}

/** A rule that cannot be understood any more: a column that it needs is gone, or holds something else. It lets nobody do what it speaks of. */
export class RuleProblemDto {
  /** @example '/rules/0/read/filter' */
  pointer!: string;
  /** @example 'There is no field "status".' */
  detail!: string;
}

export class RulesDto {
  /** Goes on with every change; for `If-Match`. @example 3 */
  version!: number;
  @ApiProperty({ type: [RuleDto] })
  rules!: RuleDto[];
  problems!: RuleProblemDto[];
}

export class ExplainRulesQuery {
  /** Of a membership. */
  @IsId()
  memberId!: string;

  /** A row that is to be judged, too. */
  @MayBeAbsent()
  @IsId()
  rowId?: string;
}

/** What one rule says of the row. */
export class RuleSaysDto {
  /** @example 'Editors see their own rows' */
  name!: string;
  read!: boolean;
  update!: boolean;
  delete!: boolean;
}

export class ExplainedRowDto {
  /** Whether the row is there for the member. @example false */
  read!: boolean;
  update!: boolean;
  delete!: boolean;
  /** Each rule that is for the member, and what it says; each adds to what the others let. */
  rules!: RuleSaysDto[];
}

export class ExplainedRulesDto {
  memberId!: string;
  role!: string;
  /** Why the row, or the table, is seen so. @example 'Rules decide: “Editors see open deals” does not let the row be read.' */
  reason!: string;
  /** Names of the rules that are for the member. */
  rules!: string[];
  columns!: RuleColumnsSeenDto;
  row!: ExplainedRowDto | null;
}

export class RuleColumnsSeenDto {
  hidden!: string[];
  readOnly!: string[];
}
