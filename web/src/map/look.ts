import looks from '../../../tiles/styles/look.json' with { type: 'json' };

export type ThemeName = 'light' | 'dark';

/** The colours of the base map in one theme. */
export type Look = (typeof looks)['light'];

/** The base map's colours for light or dark. */
export function look(theme: ThemeName): Look {
  return looks[theme];
}

/** The map's typefaces, as the server names their glyphs. */
export const FONT = {
  regular: ['BeVietnamPro-Regular'],
  bold: ['BeVietnamPro-SemiBold'],
  italic: ['BeVietnamPro-Italic'],
};
