import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { ROLES, type Role } from '../../../common/index.js';

/** Documents a role in an answer. */
export const ApiRole = (example: Role): PropertyDecorator =>
  ApiProperty({
    enum: ROLES,
    enumName: 'Role',
    enumSchema: { description: 'What somebody may do in a workspace. A role may all that the ones after it may.' },
    example,
  });

/** A role in a request. */
export const IsRole = (): PropertyDecorator =>
  applyDecorators(IsIn(ROLES, { message: `role must be one of ${ROLES.join(', ')}.` }), ApiRole('editor'));
