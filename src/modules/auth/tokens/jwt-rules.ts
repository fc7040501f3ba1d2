import type { JwtModuleOptions } from '@nestjs/jwt';
import type { AppConfig } from '../../../config/index.js';

/** What every access token is and must be. One algorithm, named by us and never by the token. */
export const JWT_RULES = {
  algorithm: 'HS256',
  issuer: 'live-tables',
  audience: 'live-tables-api',
} as const;

export const jwtOptions = ({ jwt }: AppConfig): JwtModuleOptions => {
  const { algorithm, issuer, audience } = JWT_RULES;
  return {
    secret: jwt.secret,
    signOptions: { algorithm, issuer, audience, expiresIn: jwt.accessSeconds },
    verifyOptions: { algorithms: [algorithm], issuer, audience },
  };
};
