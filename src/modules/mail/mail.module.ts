import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MailQueue } from './mail-queue.js';
import { Mailer } from './mailer.js';
import { QueuedMailEntity } from './queued-mail.entity.js';

/** Mail to people, ordered in transactions and sent after them. */
@Module({
  imports: [TypeOrmModule.forFeature([QueuedMailEntity])],
  providers: [MailQueue, Mailer],
  exports: [Mailer],
})
export class MailModule {}
