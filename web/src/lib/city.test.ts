import { afterEach, describe, expect, it } from 'vitest';
import { CITY } from '../../dev/mock/profile';
import { city, showCity, utcOffsetMs } from './city';
import { instant } from './format';

describe('the city', () => {
  afterEach(() => showCity(CITY));

  it('says when it is', () => {
    expect(utcOffsetMs()).toBe(7 * 3_600_000);
    showCity({ ...CITY, utcOffset: '-03:30' });
    expect(utcOffsetMs()).toBe(-3.5 * 3_600_000);
    expect(instant('2026-01-01T20:00:00Z', 'en')).toContain('16:30');
  });

  it('is the one that was shown last', () => {
    showCity({ ...CITY, name: { vi: 'Thành phố Hà Nội', en: 'Hanoi' } });
    expect(city().name.en).toBe('Hanoi');
  });
});
