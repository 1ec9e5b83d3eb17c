import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FONT, FONT_FACES, LATIN, VIETNAMESE } from './fonts';

it('the map draws its labels with the files of the page, for the same characters', () => {
  const css = readFileSync(new URL('../fonts.css', import.meta.url), 'utf8');
  const ranges = [...css.matchAll(/unicode-range:\s*([^;]*);/g)].map(([, list]) => list!.split(/,\s*/));
  expect(ranges).toEqual([LATIN, VIETNAMESE, LATIN, VIETNAMESE]);
  const files = [...css.matchAll(/files\/(.*?\.woff2)/g)].map(([, file]) => file);
  const drawn = JSON.stringify([FONT_FACES[FONT.regular[0]], FONT_FACES[FONT.bold[0]]]);
  for (const file of files) expect(drawn).toContain(file);
});

it('each typeface of the style has its files', () => {
  expect(Object.keys(FONT_FACES)).toEqual(Object.values(FONT).flat());
});
