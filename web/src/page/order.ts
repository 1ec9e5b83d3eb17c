/** The order in which the features at a point are shown: what was most likely meant comes first. */
import { type Collection, type Feature, fieldWith, type Role } from '../lib/api';

/** A feature with the layer that it is of. */
interface Found {
  layer: string;
  feature: Feature;
}

/** The codes of the levels of plans, from the finest; a finer plan takes precedence over a coarser one. */
const PLAN_LEVELS = ['ĐCCB', 'QHCT', 'QHPK', 'QHC'];

/** The place of a plan's level in the order of precedence, from 0; what is no level comes after all of them. */
export function levelRank(value: unknown): number {
  const code = String(value ?? '').toUpperCase();
  const level = PLAN_LEVELS.indexOf(code === 'DCCB' ? 'ĐCCB' : code);
  return level < 0 ? PLAN_LEVELS.length : level;
}

/** 0 for points, 1 for lines, 2 for areas, 3 for what has no geometry. */
function dimension(geometry: GeoJSON.Geometry | null): number {
  if (!geometry) return 3;
  if (geometry.type === 'GeometryCollection') return Math.max(0, ...geometry.geometries.map(dimension));
  if (geometry.type.endsWith('Point')) return 0;
  return geometry.type.endsWith('LineString') ? 1 : 2;
}

function planLevel(feature: Feature, layer: Collection | undefined): number {
  const field = layer && fieldWith(layer, 'plan_level');
  return levelRank(field && feature.properties[field.name]);
}

function groupOf(kind: number, role: Role | undefined, distance: number, lineReach: number): number {
  if (kind === 0) return 0;
  if (kind === 1) return distance <= lineReach ? 1 : 5;
  if (role === 'parcel') return 2;
  // Plans stand together, by their level; their areas do not say how fine they are.
  return role === 'building' ? 3 : role === 'admin_unit' ? 6 : 4;
}

/**
 * Points under the pointer before lines, lines before areas, small areas before large ones, finer plans before coarser
 * ones. A building comes after the parcel that it stands on: whoever clicks a house asks for the parcel. Points and
 * lines are ordered by distance; all that is equal stays in the order of the catalogue. A line farther away than
 * `lineReach` metres comes after the areas: who clicks a parcel beside an alley means the parcel. So do points and lines
 * of layers that the map does not draw: nobody clicks what is not to be seen.
 */
export function inOrder(
  found: Found[],
  layerOf: (id: string) => Collection | undefined,
  isDrawn: (id: string) => boolean,
  lineReach: number,
): Found[] {
  const keys = new Map(
    found.map((one) => {
      const layer = layerOf(one.layer);
      const kind = dimension(one.feature.geometry);
      const role = layer?.citymap.role;
      const hidden = kind === 3 || (kind < 2 && !isDrawn(one.layer));
      const group = hidden ? 7 : groupOf(kind, role, one.feature.distance ?? 0, lineReach);
      const size = kind < 2 ? (one.feature.distance ?? 0) : (one.feature.area?.value ?? Number.POSITIVE_INFINITY);
      const level = role === 'zone' ? planLevel(one.feature, layer) : 0;
      return [one, [group, one.feature.distance && kind === 2 ? 1 : 0, level, size]] as const;
    }),
  );
  return found.toSorted((a, b) => {
    const [left, right] = [keys.get(a) ?? [], keys.get(b) ?? []];
    const at = left.findIndex((value, index) => value !== right[index]);
    return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
  });
}
