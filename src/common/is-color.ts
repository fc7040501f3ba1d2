import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { COLOR_RULE, isColor } from './colors.js';

/** A colour in a DTO, see {@link isColor}; anything else is refused (`is_color`). */
export const IsColor = (): PropertyDecorator =>
  applyDecorators(
    ValidateBy({
      name: 'isColor',
      validator: {
        validate: isColor,
        defaultMessage: (args) => `${args?.property ?? 'color'} must be ${COLOR_RULE}.`,
      },
    }),
    ApiProperty({ type: String, example: 'teal' }),
  );
