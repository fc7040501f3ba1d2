import { describe, expect, it } from '@jest/globals';
import { parseCsv, parseCsvObjects } from '../../scripts/quickstart/csv.mjs';
import { readAirports } from '../../scripts/quickstart/tour.mjs';

describe('the CSV reader of the quickstart', () => {
  it.each([
    ['a,b\n1,2\n', [['a', 'b'], ['1', '2']]],
    ['a,b\r\n1,2', [['a', 'b'], ['1', '2']]],
    ['"a,1","b ""c"""\n"line\nend",', [['a,1', 'b "c"'], ['line\nend', '']]],
    [',\n', [['', '']]],
    ['', []],
  ])('reads %j', (text, records) => {
    expect(parseCsv(text)).toEqual(records);
  }); // prettier-ignore

  it.each(['"a', '"a"b', 'x,"y'])('refuses %j', (text) => {
    expect(() => parseCsv(text)).toThrow();
  });

  it('refuses a record that is shorter or longer than the header', () => {
    expect(() => parseCsvObjects('a,b\n1\n')).toThrow('Record 1 has 1 fields instead of 2.');
  });

  it('reads every airport, also those with commas and quotes in their names', () => {
    const airports = readAirports();
    expect(airports).toHaveLength(3_376);
    expect(new Set(airports.map(({ iata }) => iata)).size).toBe(3_376);
    const names = new Map(airports.map(({ iata, name }) => [iata, name]));
    expect(names.get('DBN')).toBe('W. H. "Bud" Barron');
    expect(names.get('53A')).toBe('Dr. C.P. Savage, Sr.');
  });
});
