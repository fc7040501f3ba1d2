import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { ThrottlerModule } from '@nestjs/throttler';
import { TypeOrmModule } from '@nestjs/typeorm';
import { APP_CONFIG } from '../../config/index.js';
import { RedisClient } from '../../database/redis/index.js';
import { MailModule } from '../mail/index.js';
import { UsersModule } from '../users/index.js';
import { AuthController } from './auth.controller.js';
import { AuthGuard } from './auth.guard.js';
import { AuthService } from './auth.service.js';
import { PasswordResetEntity } from './passwords/password-reset.entity.js';
import { PasswordsService } from './passwords/passwords.service.js';
import { PersonalTokenEntity } from './personal-tokens/personal-token.entity.js';
import { PersonalTokenStates } from './personal-tokens/personal-token-states.js';
import { PersonalTokensController } from './personal-tokens/personal-tokens.controller.js';
import { PersonalTokensService } from './personal-tokens/personal-tokens.service.js';
import { throttlerOptions } from './rate-limit/limits.js';
import { ExternalLimit } from './rate-limit/external-limit.js';
import { EndpointLimits } from './rate-limit/endpoint-limits.js';
import { RateLimitGuard } from './rate-limit/rate-limit.guard.js';
import { RefreshTokenEntity } from './sessions/refresh-token.entity.js';
import { RefreshService } from './sessions/refresh.service.js';
import { SessionStates } from './sessions/session-states.js';
import { SessionEntity } from './sessions/session.entity.js';
import { SessionsService } from './sessions/sessions.service.js';
import { jwtOptions } from './tokens/jwt-rules.js';
import { JwtStrategy } from './tokens/jwt.strategy.js';
import { TokenService } from './tokens/token.service.js';

/**
 * Who calls: accounts signed in, sessions, access tokens. Brings the first two global guards, in this order: signed in at
 * all (401), not too often (429). The guard for workspaces comes after them, so import this module before that one.
 */
@Module({
  imports: [
    TypeOrmModule.forFeature([SessionEntity, RefreshTokenEntity, PasswordResetEntity, PersonalTokenEntity]),
    JwtModule.registerAsync({ inject: [APP_CONFIG], useFactory: jwtOptions }),
    ThrottlerModule.forRootAsync({ inject: [APP_CONFIG, RedisClient], useFactory: throttlerOptions }),
    UsersModule,
    MailModule,
  ],
  controllers: [AuthController, PersonalTokensController],
  providers: [
    AuthService,
    PasswordsService,
    SessionsService,
    SessionStates,
    RefreshService,
    PersonalTokensService,
    PersonalTokenStates,
    TokenService,
    JwtStrategy,
    EndpointLimits,
    ExternalLimit,
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_GUARD, useClass: RateLimitGuard },
  ],
  exports: [TokenService, EndpointLimits, ExternalLimit],
})
export class AuthModule {}
