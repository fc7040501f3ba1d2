import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentCaller,
  IdPipe,
  LimitedBy,
  PageQuery,
  SignedIn,
  type Answer,
  type Caller,
  type Id,
} from '../../../common/index.js';
import { CreatedPersonalTokenDto, CreatePersonalTokenDto, PersonalTokenListDto } from './personal-token.dto.js';
import { PersonalTokensService } from './personal-tokens.service.js';

@ApiTags('Users')
@Controller('users/me/tokens')
export class PersonalTokensController {
  constructor(private readonly tokens: PersonalTokensService) {}

  @Post()
  @SignedIn()
  @LimitedBy('auth')
  @ApiOperation({
    summary: 'Make a personal token',
    description:
      'For programs that call this API, or follow it over the socket, as you: with a part of your rights and until a day that you choose. The answer has the token, this once. A new password revokes all of them.',
  })
  @ApiCreatedResponse({ type: CreatedPersonalTokenDto })
  @ApiProblems('invalid_credentials', 'limit_reached', 'overloaded')
  async create(
    @CurrentCaller() caller: Caller,
    @Body() body: CreatePersonalTokenDto,
  ): Promise<Answer<CreatedPersonalTokenDto>> {
    return created('/users/me/tokens', await this.tokens.create(caller, body));
  }

  @Get()
  @SignedIn()
  @ApiOperation({ summary: 'List your personal tokens, newest first', description: 'Never the tokens themselves.' })
  @ApiProblems('cursor_invalid')
  list(@CurrentCaller() caller: Caller, @Query() query: PageQuery): Promise<PersonalTokenListDto> {
    return this.tokens.list(caller, query);
  }

  @Delete(':tokenId')
  @SignedIn()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Revoke a personal token',
    description: 'It opens nothing any more, and its sockets end: on every node within five seconds.',
  })
  @ApiNoContentResponse({ description: 'It is gone.' })
  revoke(@CurrentCaller() caller: Caller, @Param('tokenId', IdPipe) tokenId: Id): Promise<void> {
    return this.tokens.revoke(caller, tokenId);
  }
}
