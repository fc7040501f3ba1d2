import { SetMetadata } from '@nestjs/common';

/**
 * `default`: any request, by person, else by address. `auth`: the same, for what guesses secrets. `account`: by the e-mail
 * address in the body. `external`: by person, for what asks external databases. `connect`: by person, for what tries out hosts. An IPv6 address counts as its /64, which is the least that one customer has (RFC 6177).
 */
export type LimitName = 'default' | 'auth' | 'account' | 'external' | 'connect';

/** Metadata key of {@link LimitedBy}. */
export const LIMITED_BY = 'rate-limit:names';

/** Which limits a route counts towards, instead of `default`. */
export const LimitedBy = (...names: readonly LimitName[]) => SetMetadata(LIMITED_BY, names);
