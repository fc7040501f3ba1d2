import { IsOptional } from 'class-validator';
import { IsName, IsText, MayBeAbsent, PageDto } from '../../../common/index.js';

const MAX_DESCRIPTION = 10_000;

export class CreateBaseDto {
  /** @example 'CRM' */
  @IsName()
  name!: string;

  /** @example 'Customers and deals' */
  @IsOptional()
  @IsText(MAX_DESCRIPTION)
  description?: string;
}

export class UpdateBaseDto {
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

export class BaseDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  workspaceId!: string;
  /** @example 'CRM' */
  name!: string;
  description!: string | null;
  physical!: BasePhysicalDto;
  createdAt!: string;
  updatedAt!: string;
}

export class BaseListDto {
  data!: BaseDto[];
  page!: PageDto;
}
