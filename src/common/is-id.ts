import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { isId } from './ids.js';

const EXAMPLE = '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11';

/** An id in a body, documented with an example unless that is null; refused (`is_id`) when it is not in the form in which ids are handed out. */
export const IsId = ({ example = EXAMPLE }: { readonly example?: string | null } = {}): PropertyDecorator =>
  applyDecorators(
    ValidateBy({
      name: 'isId',
      validator: {
        validate: isId,
        defaultMessage: (args) => `${args?.property ?? 'id'} must be an id, as it was handed out.`,
      },
    }),
    ApiProperty({ type: String, format: 'uuid', ...(example === null ? {} : { example }) }),
  );
