import { IsBoolean } from 'class-validator';
import { IsName, MayBeAbsent } from '../../../common/index.js';

export class DuplicateDto {
  /** Name of the copy. @example 'CRM 2027' */
  @IsName()
  name!: string;

  /** Copies the rows and their links too; otherwise the copy is empty. @example true */
  @MayBeAbsent()
  @IsBoolean()
  withRows?: boolean;
}
