import { ValidateBy } from 'class-validator';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/;
const isFuture = (value: unknown): boolean =>
  typeof value === 'string' && TIME.test(value) && isOfCalendar(value) && Date.parse(value) > Date.now();

/** JavaScript takes 30 February for 2 March, and 24:00 for the day after. */
function isOfCalendar(time: string): boolean {
  const minute = time.slice(0, 'yyyy-mm-ddThh:mm'.length);
  const at = new Date(`${minute}Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(minute);
}

/** A time (RFC 3339) in a DTO that is still to come; refused (`is_future_time`) otherwise. */
export const IsFutureTime = (): PropertyDecorator =>
  ValidateBy({
    name: 'isFutureTime',
    validator: { validate: isFuture, defaultMessage: () => 'A time (RFC 3339) that is still to come is expected.' },
  });
