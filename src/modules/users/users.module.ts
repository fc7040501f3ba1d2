import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountDeletion } from './account-deletion.js';
import { AccountService } from './account.service.js';
import { PasswordHasher } from './passwords/index.js';
import { UserEntity } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/** Accounts of people: who they are, and the proof that it is them. */
@Module({
  imports: [TypeOrmModule.forFeature([UserEntity])],
  controllers: [UsersController],
  providers: [UsersService, AccountService, AccountDeletion, PasswordHasher],
  exports: [UsersService, AccountDeletion, PasswordHasher],
})
export class UsersModule {}
