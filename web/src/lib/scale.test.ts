import { expect, it } from 'vitest';
import { metresPerPixel, scaleText } from './scale';

it('tells the ground size of a pixel', () => {
  // 78 271.517 m at the equator at zoom 0, with tiles of 512 pixels; half of it at 60° north.
  expect(metresPerPixel(0, 0)).toBeCloseTo(78_271.517, 3);
  expect(metresPerPixel(60, 10)).toBeCloseTo(78_271.517 / 2048, 3);
});

it('writes the scale of the screen as each language does', () => {
  expect(scaleText(10.77, 19, 'vi')).toBe('1/550');
  expect(scaleText(10.77, 14, 'vi')).toBe('1/18.000');
  expect(scaleText(10.77, 14, 'en')).toBe('1:18,000');
});
