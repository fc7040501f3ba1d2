import { sql } from '../../../query/index.js';

/** A field of each binary form that is read, as PostgreSQL sends them: of a type, so many bytes. */
const FIELDS: readonly (readonly [type: number, bytes: string])[] = [
  [25, Buffer.from('é').toString('hex')],
  [20, 'ffffffffffffffff'],
  [1700, '0002000040000001000c1388'],
  [16, '01'],
  [1082, '00000001'],
  [1184, '0000000000000001'],
  [1114, 'ffffffffffffffff'],
  [2950, '0123456789abcdef0123456789abcdef'],
  [17, 'ff00'],
];

/** Two records of these values and a null. */
export const RECORDS_SAMPLE = sql`select string_agg(record_send(row('é'::text, -1::bigint, -12.5::numeric, true, date '2000-01-02',
  timestamptz '2000-01-01 00:00:00.000001+00', timestamp '1999-12-31 23:59:59.999999', '01234567-89ab-cdef-0123-456789abcdef'::uuid, '\\xff00'::bytea, null::text)), '')
  from (values (1), (2)) two`;

const int32 = (n: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(n);
  return bytes;
};

const RECORD = Buffer.concat([
  int32(FIELDS.length + 1),
  ...FIELDS.map(([type, hex]) => Buffer.concat([int32(type), int32(hex.length / 2), Buffer.from(hex, 'hex')])),
  int32(25),
  int32(-1),
]);
/** What PostgreSQL answers. */
export const RECORDS_SAMPLE_BYTES = Buffer.concat([RECORD, RECORD]);

export const isRecordsSample = (bytes: Buffer): boolean => bytes.equals(RECORDS_SAMPLE_BYTES);
