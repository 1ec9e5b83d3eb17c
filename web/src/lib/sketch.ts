/** The geometry of what a tool draws: lengths and areas on the VN-2000 grid. */
import { gridDistance, inVietnam, toVn2000 } from './vn2000';

/** A WGS 84 position in degrees: longitude, latitude. */
export type LonLat = [number, number];

/** Whether all positions are in the area of use of the VN-2000 grid. */
export const onGrid = (points: LonLat[]): boolean => points.every(([lon, lat]) => inVietnam(lon, lat));

/** The length of a line in metres on the home grid; `closed` adds the way back to its start. */
export function gridLength(points: LonLat[], closed = false): number {
  const first = points[0];
  const path = closed && first ? [...points, first] : points;
  return path.slice(1).reduce((sum, point, index) => sum + gridDistance(path[index] ?? point, point), 0);
}

/**
 * The area inside a ring in m² on the home grid, in either direction; the first point is not repeated at the
 * end.
 */
export function gridArea(ring: LonLat[]): number {
  const flat = ring.map(([lon, lat]) => toVn2000(lon, lat));
  const [east0 = 0, north0 = 0] = flat[0] ?? [];
  let twice = 0;
  flat.forEach(([east, north], index) => {
    const [nextEast, nextNorth] = flat[(index + 1) % flat.length] ?? [east, north];
    // Relative to the first corner: coordinates of millions of metres would cost digits.
    twice += (east - east0) * (nextNorth - north0) - (nextEast - east0) * (north - north0);
  });
  return Math.abs(twice) / 2;
}

/** The side of the line from `a` to `b` on which `c` is: positive left, negative right, 0 on the line. */
const side = (a: LonLat, b: LonLat, c: LonLat) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

const between = (a: LonLat, b: LonLat, c: LonLat) =>
  Math.min(a[0], b[0]) <= c[0] &&
  c[0] <= Math.max(a[0], b[0]) &&
  Math.min(a[1], b[1]) <= c[1] &&
  c[1] <= Math.max(a[1], b[1]);

function meet(a: LonLat, b: LonLat, c: LonLat, d: LonLat): boolean {
  const [c1, d1, a1, b1] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
  if (c1 * d1 < 0 && a1 * b1 < 0) return true;
  return (
    (c1 === 0 && between(a, b, c)) ||
    (d1 === 0 && between(a, b, d)) ||
    (a1 === 0 && between(c, d, a)) ||
    (b1 === 0 && between(c, d, b))
  );
}

/** Whether a ring (its first point not repeated) crosses or touches itself, so that its area is undefined. O(n²). */
export function crossesItself(ring: LonLat[]): boolean {
  const count = ring.length;
  for (let i = 0; i < count; i += 1) {
    for (let j = i + 2; j < count; j += 1) {
      // The last edge ends where the first begins.
      if (i === 0 && j === count - 1) continue;
      const [a, b, c, d] = [ring[i], ring[i + 1], ring[j], ring[(j + 1) % count]];
      if (a && b && c && d && meet(a, b, c, d)) return true;
    }
  }
  return false;
}

/** The ring as a GeoJSON polygon, counter-clockwise as RFC 7946 demands. */
export function polygonOf(ring: LonLat[]): GeoJSON.Polygon {
  const flat = ring.reduce((sum, [x, y], index) => {
    const [nx, ny] = ring[(index + 1) % ring.length] ?? [x, y];
    return sum + (x * ny - nx * y);
  }, 0);
  const wound = flat < 0 ? [...ring].reverse() : ring;
  const first = wound[0];
  return { type: 'Polygon', coordinates: [first ? [...wound, first] : []] };
}
