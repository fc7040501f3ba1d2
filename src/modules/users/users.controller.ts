import { Body, Controller, Delete, Get, HttpCode, Patch } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, CurrentCaller, LimitedBy, SignedIn, type Caller } from '../../common/index.js';
import { AccountService } from './account.service.js';
import { DeleteAccountDto, UpdateAccountDto } from './dto/account.dto.js';
import { UserDto } from './user.dto.js';

@ApiTags('Users')
@Controller('users/me')
export class UsersController {
  constructor(private readonly account: AccountService) {}

  @Get()
  @SignedIn({ tokens: 'read' })
  @ApiOperation({ summary: 'Your profile' })
  get(@CurrentCaller() caller: Caller): Promise<UserDto> {
    return this.account.get(caller);
  }

  @Patch()
  @SignedIn()
  @ApiOperation({ summary: 'Change your profile' })
  update(@CurrentCaller() caller: Caller, @Body() body: UpdateAccountDto): Promise<UserDto> {
    return this.account.update(caller, body);
  }

  @Delete()
  @SignedIn()
  @LimitedBy('auth')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete your account',
    description:
      'Ends your sessions and memberships and erases your name, address and password from the account; the address can be registered again. What you did stays in audit logs and histories, under the name that you had. Refused while a workspace would be left without an owner: make somebody else an owner, or delete the workspace first.',
  })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems('invalid_credentials', 'last_owner', 'overloaded')
  remove(@CurrentCaller() caller: Caller, @Body() body: DeleteAccountDto): Promise<void> {
    return this.account.remove(caller, body.password);
  }
}
