/** How a layer is drawn, from which zoom on, and with which symbol. */
import type { Collection, Theme } from '../lib/api';

/** How a layer is drawn: by its role and geometry, and where these are not enough by its theme. */
export type Drawing =
  | 'parcel'
  | 'zone'
  | 'road'
  | 'building'
  | 'address'
  | 'admin'
  | 'pipe'
  | 'power'
  | 'point'
  | 'water'
  | 'green'
  | 'other';

/** How a layer is drawn. */
export function classify(collection: Collection): Drawing {
  const { role, geometry, theme } = collection.citymap;
  if (geometry === 'point' && role !== 'address') return 'point';
  switch (role) {
    case 'parcel':
    case 'zone':
    case 'road':
    case 'building':
    case 'address':
      return role;
    case 'admin_unit':
      return 'admin';
    case 'utility':
      return theme === 'power' ? 'power' : 'pipe';
    default:
      return theme === 'water' || theme === 'green' ? theme : 'other';
  }
}

/** Whether a layer contains borders: areas of several levels that overlap, of which only the lines are drawn. */
export const isBoundary = (collection: Collection): boolean => collection.citymap.theme === 'boundary';

/**
 * The zoom from which a layer is drawn, and its tiles are requested: from there on it is legible next to the layers
 * above it. `planned` says whether a coloured plan is shown: merged land use over the plan would give colours that no
 * legend has, so parcels begin with the zoom from which each of them is drawn by itself.
 */
export function minZoom(collection: Collection, planned = false): number {
  const { role, count } = collection.citymap;
  switch (classify(collection)) {
    case 'parcel':
      return planned ? Math.max(8, detailZoom(collection)) : 8;
    case 'building':
      return Math.max(13, detailZoom(collection));
    case 'address':
      return 17;
    case 'pipe':
    case 'power':
      return 13;
    case 'point':
      // Reports of residents are read by neighbourhood, as clusters; hydrants and lights in the street.
      if (role === 'utility') return count <= 500 ? 15 : count <= 5000 ? 16 : 17;
      if (role === 'report') return 12;
      if (role === 'other') return 8;
      return count <= 300 ? 13 : 15;
    default:
      return 0;
  }
}

/** The kinds of layers by how much they matter to somebody who looks for a place; the first are requested first. */
const IMPORTANCE: Drawing[] = ['admin', 'water', 'road', 'green', 'zone', 'parcel', 'building', 'address', 'point'];

/** How much a layer matters, 0 the most: the order in which the map asks for the layers of a tile. */
export function importance(collection: Collection): number {
  const position = IMPORTANCE.indexOf(classify(collection));
  return position < 0 ? IMPORTANCE.length : position;
}

/** The zoom from which a layer's tiles contain every feature by itself. */
export const detailZoom = (collection: Collection): number => collection.citymap.tileRule?.detailZoom ?? 0;

/** The symbol (tiles/sprites) of a point layer, by its theme or role; `null` for a plain dot. */
export function pointIcon(collection: Collection): string | null {
  const { theme, role } = collection.citymap;
  if (theme && SYMBOLS.includes(theme)) return theme;
  return role === 'report' || role === 'place' ? role : null;
}

/** The themes with a symbol of the same name. */
const SYMBOLS: Theme[] = ['hydrant', 'light', 'school', 'hospital', 'market', 'park', 'report'];
