import { IsId, MayBeAbsent } from '../../../common/index.js';

/** The query string of reads that can be asked for somebody else. */
export class ViewedAsQuery {
  /** Id of a member: what that member would get. For admins; it is audited. */
  @MayBeAbsent()
  @IsId({ example: null })
  as?: string;
}
