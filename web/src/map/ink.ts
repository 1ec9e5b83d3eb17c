/** The colours of what the page draws over the map: selections, sketches, and the former shape of a feature. */
import type { ThemeName } from '../lib/theme';

export interface Ink {
  select: string;
  /** What surrounds it, so that it is seen on any ground. */
  halo: string;
  former: string;
}

export const INK: Record<ThemeName, Ink> = {
  light: { select: '#0b4fd0', halo: '#ffffff', former: '#b3470f' },
  dark: { select: '#7db4ff', halo: '#0b0e10', former: '#f0a070' },
};
