import { expect, it } from 'vitest';
import { dayText, readDay } from './text';

it('shows days and times with the day first', () => {
  expect(dayText('2026-01-31')).toBe('31/01/2026');
  expect(dayText('2026-01-31T14:30:00')).toBe('31/01/2026 14:30');
  expect(dayText('2026-01-31T14:30:05')).toBe('31/01/2026 14:30:05');
  expect(['', 'hôm qua', '31/1/26'].map(dayText)).toEqual(['', 'hôm qua', '31/1/26']);
});

it('reads days as people write them', () => {
  for (const text of ['31/01/2026', '31/1/2026', ' 31-01-2026 ', '31.1.2026', '31 01 2026', '31012026', '2026-01-31'])
    expect(readDay(text, 'date'), text).toBe('2026-01-31');
  expect(readDay('29/02/2024', 'date')).toBe('2024-02-29');
  for (const text of [
    '',
    '31',
    '31/02/2026',
    '29/02/2026',
    '01/31/2026',
    '31/01/26',
    '31/01/2026 14:30',
    'x31/01/2026',
  ])
    expect(readDay(text, 'date'), text).toBeNull();
});

it('reads times, midnight where only a day is given', () => {
  expect(readDay('31/01/2026 14:30', 'datetime')).toBe('2026-01-31T14:30:00');
  expect(readDay('31/1/2026 7h05', 'datetime')).toBe('2026-01-31T07:05:00');
  expect(readDay('2026-01-31T14:30:05', 'datetime')).toBe('2026-01-31T14:30:05');
  expect(readDay('31/01/2026', 'datetime')).toBe('2026-01-31T00:00:00');
  expect(readDay('31/01/2026 24:00', 'datetime')).toBeNull();
  expect(readDay('31/01/2026 12:60', 'datetime')).toBeNull();
});

it('reads what it shows', () => {
  for (const value of ['2026-01-31', '0987-12-01']) expect(readDay(dayText(value), 'date')).toBe(value);
  for (const value of ['2026-01-31T14:30:05', '2026-01-31T00:00:00'])
    expect(readDay(dayText(value), 'datetime')).toBe(value);
});
