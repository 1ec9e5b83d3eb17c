/**
 * The files of the typeface with which the map's labels are drawn: those of the page (fonts.css), which the browser has
 * already, and the italic. Characters that they do not contain are requested from the style's `glyphs`.
 */
import latinItalic from '@fontsource/be-vietnam-pro/files/be-vietnam-pro-latin-400-italic.woff2?url';
import latinRegular from '@fontsource/be-vietnam-pro/files/be-vietnam-pro-latin-400-normal.woff2?url';
import latinBold from '@fontsource/be-vietnam-pro/files/be-vietnam-pro-latin-600-normal.woff2?url';
import vietnameseItalic from '@fontsource/be-vietnam-pro/files/be-vietnam-pro-vietnamese-400-italic.woff2?url';
import vietnameseRegular from '@fontsource/be-vietnam-pro/files/be-vietnam-pro-vietnamese-400-normal.woff2?url';
import vietnameseBold from '@fontsource/be-vietnam-pro/files/be-vietnam-pro-vietnamese-600-normal.woff2?url';
import type { FontFacesSpecification } from 'maplibre-gl';

/** The map's typefaces, as the server's styles and glyphs name them. */
export const FONT: Record<'regular' | 'bold' | 'italic', [string]> = {
  regular: ['BeVietnamPro-Regular'],
  bold: ['BeVietnamPro-SemiBold'],
  italic: ['BeVietnamPro-Italic'],
};

/** The characters of each file, as fonts.css has them. */
export const VIETNAMESE = [
  'U+0102-0103',
  'U+0110-0111',
  'U+0128-0129',
  'U+0168-0169',
  'U+01A0-01A1',
  'U+01AF-01B0',
  'U+0300-0301',
  'U+0303-0304',
  'U+0308-0309',
  'U+0323',
  'U+0329',
  'U+1EA0-1EF9',
  'U+20AB',
];
export const LATIN = [
  'U+0000-00FF',
  'U+0131',
  'U+0152-0153',
  'U+02BB-02BC',
  'U+02C6',
  'U+02DA',
  'U+02DC',
  'U+0304',
  'U+0308',
  'U+0329',
  'U+2000-206F',
  'U+20AC',
  'U+2122',
  'U+2191',
  'U+2193',
  'U+2212',
  'U+2215',
  'U+FEFF',
  'U+FFFD',
];

/** The file with the Vietnamese letters before that with the Latin ones: some accents are in both. */
const files = (vietnamese: string, latin: string) => [
  { url: vietnamese, 'unicode-range': VIETNAMESE },
  { url: latin, 'unicode-range': LATIN },
];

/** The style's `font-faces`. */
export const FONT_FACES: FontFacesSpecification = {
  [FONT.regular[0]]: files(vietnameseRegular, latinRegular),
  [FONT.bold[0]]: files(vietnameseBold, latinBold),
  [FONT.italic[0]]: files(vietnameseItalic, latinItalic),
};
