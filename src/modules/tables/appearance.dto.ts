import { IsNumber, IsOptional, Max, Min } from 'class-validator';
import { IsColor, IsText, MayBeAbsent } from '../../common/index.js';

export const MAX_ICON = 64;
/** Positions beyond it would leave no room for fractions between two of them. */
const MAX_POSITION = 1_000_000_000;

/** How a base or table looks in a list, and where it stands there; of no meaning to us. */
export class AppearanceDto {
  /** A name, such as those of CSS, or #rrggbb; null clears it. @example 'teal' */
  @IsOptional()
  @IsColor()
  color?: string | null;

  /** An emoji or the name of an icon; null clears it. @example '🤝' */
  @IsOptional()
  @IsText(MAX_ICON)
  icon?: string | null;

  /** Lists are in the order of positions, which may be fractions; of equal ones the older comes first. New ones go to the end. @example 1.5 */
  @MayBeAbsent()
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(-MAX_POSITION)
  @Max(MAX_POSITION)
  position?: number;
}

/** What was given of it; what was not is left as it is. */
export const appearanceOf = ({ color, icon, position }: AppearanceDto): Partial<Appearance> => ({
  ...(color === undefined ? {} : { color }),
  ...(icon === undefined ? {} : { icon }),
  ...(position === undefined ? {} : { position }),
});

/** As it is kept. */
export interface Appearance {
  readonly color: string | null;
  readonly icon: string | null;
  readonly position: number;
}
