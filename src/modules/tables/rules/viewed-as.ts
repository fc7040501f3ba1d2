import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { X_VIEWED_AS } from '../../../common/index.js';

export const VIEWED_AS = 'rules:viewed-as';

/** The route can be asked what a member would get: `?as=<memberId>`, which its query has, for admins. Each such look is audited. */
export const ViewedAs = () => applyDecorators(SetMetadata(VIEWED_AS, true), ApiExtension(X_VIEWED_AS, true));
