import { SetMetadata } from '@nestjs/common';

export const VIEWED_AS = 'rules:viewed-as';

/** The route can be asked what a member would get: `?as=<memberId>`, which its query has, for admins. Each such look is audited. */
export const ViewedAs = () => SetMetadata(VIEWED_AS, true);
