import { IsName, MayBeAbsent } from '../../../common/index.js';
import { IsGivenPassword } from '../passwords/index.js';

export class UpdateAccountDto {
  /**
   * How others see you.
   * @example 'Ada King'
   */
  @MayBeAbsent()
  @IsName()
  name?: string;
}

export class DeleteAccountDto {
  /** Your password, as a proof that it is you. */
  @IsGivenPassword()
  password!: string;
}
