/** The map's colours and typefaces. */
import palettes from '../../../tiles/styles/look.json' with { type: 'json' };
import type { ThemeName } from '../lib/theme';

/** The colours of the base map in one theme. */
export type Palette = (typeof palettes)['light'];

/** The base map's colours for light or dark. */
export function palette(theme: ThemeName): Palette {
  return palettes[theme];
}

/** The map's typefaces, as the server names their glyphs. */
export const FONT: Record<'regular' | 'bold' | 'italic', [string]> = {
  regular: ['BeVietnamPro-Regular'],
  bold: ['BeVietnamPro-SemiBold'],
  italic: ['BeVietnamPro-Italic'],
};
