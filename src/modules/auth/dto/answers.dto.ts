import type { PageDto } from '../../../common/index.js';
import type { UserDto } from '../../users/index.js';

/** What every way of signing in answers. */
export class SignedInDto {
  user!: UserDto;

  /**
   * Send it as `Authorization: Bearer …`.
   * @example 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl'
   */
  accessToken!: string;

  /**
   * Works once, for a new pair of tokens.
   * @example 'Vb3n0kJ1rj0m0H2mQe1o0rZ8d2y1t1u4w7p9s6a5c3E'
   */
  refreshToken!: string;

  /** @example 'Bearer' */
  tokenType!: 'Bearer';

  /**
   * Seconds for which the access token holds.
   * @example 900
   */
  expiresIn!: number;
}

/** One of your sign-ins that has not ended. */
export class SessionDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** @example 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0' */
  userAgent!: string;
  /** @example '203.0.113.7' */
  ip!: string;
  /** @example '2026-11-22T20:45:00.000Z' */
  createdAt!: string;
  /**
   * Time of the last sign-in or refresh.
   * @example '2026-11-22T21:15:00.000Z'
   */
  lastSeenAt!: string;
  /** Whether it is the session of this very request. */
  current!: boolean;
}

export class SessionListDto {
  data!: SessionDto[];
  page!: PageDto;
}
