import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { X_HONOURS_RULES } from '../../../common/index.js';

export const HONOURS_RULES = 'rules:honoured';

/**
 * The route gives nobody more of a table than rules let him see. A route below a table or a base without it is closed to members whom rules keep
 * from part of it.
 */
export const HonoursRules = () =>
  applyDecorators(SetMetadata(HONOURS_RULES, true), ApiExtension(X_HONOURS_RULES, true));
