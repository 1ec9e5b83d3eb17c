/** The kinds of layers, as the page treats them, and how much each matters. The server's styles draw them. */
import type { Collection } from '../lib/api';

/** The kind of a layer: by its role and geometry, and where these are not enough by its theme. */
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

/** The kind of a layer. */
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

/** The kinds of layers by how much they matter to somebody who looks for a place; the first are requested first. */
const IMPORTANCE: Drawing[] = ['admin', 'water', 'road', 'green', 'zone', 'parcel', 'building', 'address', 'point'];

/** How much a layer matters, 0 the most: the order in which the map asks for the layers of a tile. */
export function importance(collection: Collection): number {
  const position = IMPORTANCE.indexOf(classify(collection));
  return position < 0 ? IMPORTANCE.length : position;
}

/** The kinds whose areas have one label each, also where several tiles contain a part of them. */
export const SEAMED: Drawing[] = ['parcel', 'zone'];
