import { isTimeZone } from '../../time-zone.js';
import { constantOf } from '../expression.js';
import { takes, type Omission, type Param } from '../function.js';
import { shown } from '../flaw.js';
import { CALENDAR_UNITS, CLOCK_UNITS, type Unit } from '../calendar.js';
import type { CallPart } from '../expression.js';

/** A time zone, which has to be known before there are rows. */
export const ZONE: Param = takes.text('zone', {
  optional: true,
  expected: 'time zone such as "Europe/Berlin", written out',
  constant: (value) =>
    typeof value === 'string' && isTimeZone(value)
      ? undefined
      : {
          code: 'unknown_time_zone',
          detail: `${shown(String(value))} is no name of the IANA time zone database.`,
          expected: 'time zone such as "Europe/Berlin"',
        },
});

/** The zone among the constants of the call, UTC where none is said. */
export function zoneOf({ args }: CallPart, index: number): string {
  const zone = constantOf(args[index]);
  return typeof zone === 'string' ? zone : 'UTC';
}

const unitParam = (units: readonly Unit[]): Param =>
  takes.text('unit', {
    expected: `one of ${units.map((unit) => `"${unit}"`).join(', ')}, written out`,
    constant: (value): Omission | undefined =>
      known(value, units) === undefined
        ? {
            code: 'unknown_unit',
            detail: `${shown(String(value))} is no unit here.`,
            expected: units.map((unit) => `"${unit}"`).join(', '),
          }
        : undefined,
  });

/** `"days"` and `"Day"` are the day, too. */
function known(value: unknown, units: readonly Unit[]): Unit | undefined {
  const name = String(value).toLowerCase();
  return units.find((unit) => name === unit || name === `${unit}s`);
}

export const ALL_UNITS: readonly Unit[] = [...CALENDAR_UNITS, ...CLOCK_UNITS];
export const DAY_UNIT = unitParam(CALENDAR_UNITS);
export const ANY_UNIT = unitParam(ALL_UNITS);

export const unitOf = ({ args }: CallPart, index: number): Unit => known(constantOf(args[index]), ALL_UNITS) ?? 'day';
