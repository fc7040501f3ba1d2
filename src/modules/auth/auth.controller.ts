import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentCaller,
  CurrentRequest,
  IdPipe,
  PageQuery,
  Public,
  SignedIn,
  type Answer,
  type Caller,
  type Id,
  type RequestMeta,
} from '../../common/index.js';
import { UserDto } from '../users/index.js';
import { AuthService } from './auth.service.js';
import { SessionListDto, SignedInDto } from './dto/answers.dto.js';
import { LoginDto, LogoutDto, RefreshDto, RegisterDto } from './dto/credentials.dto.js';
import { LimitedBy } from './rate-limit/limits.js';
import { SessionsService } from './sessions/sessions.service.js';

@ApiTags('Auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
  ) {}

  @Post('register')
  @Public()
  @LimitedBy('auth')
  @ApiOperation({ summary: 'Create an account and sign in' })
  @ApiCreatedResponse({ type: SignedInDto })
  @ApiProblems('email_taken', 'overloaded')
  async register(@Body() body: RegisterDto, @CurrentRequest() request: RequestMeta): Promise<Answer<SignedInDto>> {
    return created('/auth/me', await this.auth.register(body, request));
  }

  @Post('login')
  @Public()
  @HttpCode(200)
  @LimitedBy('auth', 'account')
  @ApiOperation({
    summary: 'Sign in',
    description: 'The answer does not tell whether the address or the password is wrong.',
  })
  @ApiProblems('invalid_credentials', 'overloaded')
  login(@Body() body: LoginDto, @CurrentRequest() request: RequestMeta): Promise<SignedInDto> {
    return this.auth.login(body, request);
  }

  @Post('refresh')
  @Public()
  @HttpCode(200)
  @LimitedBy('auth')
  @ApiOperation({
    summary: 'Exchange a refresh token for a new pair of tokens',
    description: 'A refresh token works once. A second use ends the whole session, for somebody else may have a copy.',
  })
  @ApiProblems('refresh_token_invalid', 'refresh_token_reused')
  refresh(@Body() body: RefreshDto, @CurrentRequest() request: RequestMeta): Promise<SignedInDto> {
    return this.auth.refresh(body.refreshToken, request);
  }

  @Post('logout')
  @SignedIn()
  @HttpCode(204)
  @ApiOperation({ summary: 'End this session, or all of your sessions' })
  @ApiNoContentResponse({ description: 'Ended. The next request with a token of the session is refused.' })
  async logout(@CurrentCaller() caller: Caller, @Body() body: LogoutDto): Promise<void> {
    await this.sessions.logout(caller, body.everywhere === true);
  }

  @Get('me')
  @SignedIn()
  @ApiOperation({ summary: 'Your account' })
  me(@CurrentCaller() caller: Caller): Promise<UserDto> {
    return this.auth.me(caller);
  }

  @Get('sessions')
  @SignedIn()
  @ApiOperation({ summary: 'Your sign-ins that have not ended, newest first' })
  @ApiProblems('cursor_invalid')
  listSessions(@CurrentCaller() caller: Caller, @Query() query: PageQuery): Promise<SessionListDto> {
    return this.auth.listSessions(caller, query);
  }

  @Delete('sessions/:sessionId')
  @SignedIn()
  @HttpCode(204)
  @ApiOperation({ summary: 'End one of your sessions' })
  @ApiNoContentResponse({ description: 'Ended. The next request with a token of the session is refused.' })
  async revokeSession(@CurrentCaller() caller: Caller, @Param('sessionId', IdPipe) sessionId: Id): Promise<void> {
    await this.sessions.revokeOwn(caller, sessionId);
  }
}
