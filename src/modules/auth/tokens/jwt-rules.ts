import { JwtSecretRequestType, type JwtModuleOptions } from '@nestjs/jwt';
import type { AppConfig } from '../../../config/index.js';
import { SigningKeys } from './signing-keys.js';

/** What every access token is and must be. One algorithm, named by us and never by the token. */
export const JWT_RULES = {
  algorithm: 'HS256',
  issuer: 'live-tables',
  audience: 'live-tables-api',
} as const;

export const jwtOptions = (config: AppConfig): JwtModuleOptions => {
  const { algorithm, issuer, audience } = JWT_RULES;
  const keys = new SigningKeys(config);
  return {
    secretOrKeyProvider: (purpose, token) =>
      purpose === JwtSecretRequestType.SIGN ? keys.current.secret : keys.secretOf(token as string),
    signOptions: { algorithm, issuer, audience, expiresIn: config.jwt.accessSeconds, keyid: keys.current.id },
    verifyOptions: { algorithms: [algorithm], issuer, audience },
  };
};
