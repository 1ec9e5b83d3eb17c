/** How a layer is drawn, from which zoom on, and with which symbol. */
import type { Collection } from '../lib/api';

/** How a layer is drawn: by its role and geometry, and where these are not enough by its name. */
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

const WATER = /(^|_)(water|waterways?|hydro\w*|song|kenh|rach|mat_nuoc|thuy_he|thuy_van|rivers?|canals?|lakes?)(_|$)/;
const GREEN = /(^|_)(green|parks?|open_?space|cay_xanh|cong_vien|recreation)(_|$)/;
const POWER = /(^|_)(power|electric\w*|dien|cables?)(_|$)/;

/** How a layer is drawn. */
export function classify(collection: Collection): Drawing {
  const { role, geometry } = collection.citymap;
  // `openspace` and the like arrive as one word in upper or mixed case in other cities' files.
  const name = collection.id.toLowerCase();
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
      return POWER.test(name) ? 'power' : 'pipe';
    default:
      if (WATER.test(name)) return 'water';
      if (GREEN.test(name) || name.includes('openspace')) return 'green';
      return 'other';
  }
}

/** Whether a layer contains borders: areas of several levels that overlap, of which only the lines are drawn. */
export const isBoundary = (collection: Collection): boolean => /boundar|ranh_gioi|dia_gioi/.test(collection.id);

/** The zoom from which a layer's tiles are requested: from there on they are legible next to the layers above them. */
export function minZoom(collection: Collection): number {
  const { role, count } = collection.citymap;
  switch (classify(collection)) {
    case 'parcel':
      return 8;
    case 'building':
      return 13;
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

/** The zoom from which a layer's tiles contain every feature by itself. */
export const detailZoom = (collection: Collection): number => collection.citymap.tileRule?.detailZoom ?? 0;

/** The symbol (tiles/sprites) of a point layer, by its name and role; `null` for a plain dot. */
export function pointIcon(collection: Collection): string | null {
  const name = collection.id;
  const table: [RegExp, string][] = [
    [/hydrant|chua_chay/, 'hydrant'],
    [/light|den_/, 'light'],
    [/school|truong/, 'school'],
    [/hospital|y_te|benh_vien/, 'hospital'],
    [/market|cho(_|$)/, 'market'],
    [/park|tree|cay/, 'park'],
    [/report|1022|phan_anh/, 'report'],
  ];
  const hit = table.find(([pattern]) => pattern.test(name));
  if (hit) return hit[1];
  if (collection.citymap.role === 'report') return 'report';
  return collection.citymap.role === 'place' ? 'place' : null;
}
