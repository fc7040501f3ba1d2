import { IsOptional } from 'class-validator';
import { IsName, IsText, MayBeAbsent, PageDto } from '../../../common/index.js';
import { AppearanceDto } from '../appearance.dto.js';
import { InTrashDto } from '../trash.dto.js';

const MAX_DESCRIPTION = 10_000;

export class CreateBaseDto extends AppearanceDto {
  /** @example 'CRM' */
  @IsName()
  name!: string;

  /** @example 'Customers and deals' */
  @IsOptional()
  @IsText(MAX_DESCRIPTION)
  description?: string;
}

export class UpdateBaseDto extends AppearanceDto {
  /** @example 'Sales' */
  @MayBeAbsent()
  @IsName()
  name?: string;

  /** null clears it. */
  @IsOptional()
  @IsText(MAX_DESCRIPTION)
  description?: string | null;
}

/** Where the base lies in the mini-DB, for operators. */
export class BasePhysicalDto {
  /** @example 'crm_k3f9a2' */
  schema!: string;
}

export class BaseDto extends InTrashDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  workspaceId!: string;
  /** @example 'CRM' */
  name!: string;
  description!: string | null;
  /** @example 'teal' */
  color!: string | null;
  /** @example '🤝' */
  icon!: string | null;
  /** @example 1 */
  position!: number;
  physical!: BasePhysicalDto;
  createdAt!: string;
  updatedAt!: string;
}

export class BaseListDto {
  data!: BaseDto[];
  page!: PageDto;
}
