import { SetMetadata } from '@nestjs/common';

export const HONOURS_RULES = 'rules:honoured';

/**
 * The route gives nobody more of a table than rules let him see. A route below a table or a base without it is closed to members whom rules keep
 * from part of it.
 */
export const HonoursRules = () => SetMetadata(HONOURS_RULES, true);
