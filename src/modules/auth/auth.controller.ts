import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentCaller,
  CurrentRequest,
  IdPipe,
  LimitedBy,
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
import {
  ChangePasswordDto,
  ForgotPasswordDto,
  LoginDto,
  LogoutDto,
  RefreshDto,
  RegisterDto,
  ResetPasswordDto,
} from './dto/credentials.dto.js';
import { PasswordsService } from './passwords/passwords.service.js';
import { SessionsService } from './sessions/sessions.service.js';

@ApiTags('Auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
    private readonly passwords: PasswordsService,
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

  @Post('password')
  @SignedIn()
  @HttpCode(204)
  @LimitedBy('auth')
  @ApiOperation({ summary: 'Change your password', description: 'Ends all your other sessions.' })
  @ApiNoContentResponse({ description: 'Changed.' })
  @ApiProblems('invalid_credentials', 'overloaded')
  changePassword(@CurrentCaller() caller: Caller, @Body() body: ChangePasswordDto): Promise<void> {
    return this.passwords.change(caller, body);
  }

  @Post('password/forgot')
  @Public()
  @HttpCode(202)
  @LimitedBy('auth', 'account')
  @ApiOperation({
    summary: 'Ask for a link to choose a new password',
    description: 'The answer is the same whether or not the address belongs to an account.',
  })
  @ApiAcceptedResponse({ description: 'If the address belongs to an account, a mail is on its way.' })
  forgotPassword(@Body() body: ForgotPasswordDto, @CurrentRequest() request: RequestMeta): Promise<void> {
    return this.passwords.forgot(body.email, request);
  }

  @Post('password/reset')
  @Public()
  @HttpCode(204)
  @LimitedBy('auth')
  @ApiOperation({
    summary: 'Choose a new password with the token of the mail',
    description: 'Ends all sessions of the account; sign in with the new password.',
  })
  @ApiNoContentResponse({ description: 'Changed.' })
  @ApiProblems('reset_token_invalid', 'overloaded')
  resetPassword(@Body() body: ResetPasswordDto, @CurrentRequest() request: RequestMeta): Promise<void> {
    return this.passwords.reset(body, request);
  }

  @Get('me')
  @SignedIn({ tokens: 'read' })
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
