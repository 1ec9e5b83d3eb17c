/** Points inside geometries, and the boxes around them. Positions are longitude, latitude in degrees. */

/** A position on the geometry: a point inside a polygon, or a vertex near the middle of a line. */
export function innerPoint(geometry: GeoJSON.Geometry | null): [number, number] | null {
  if (!geometry) return null;
  switch (geometry.type) {
    case 'Point':
      return pair(geometry.coordinates);
    case 'MultiPoint':
      return pair(geometry.coordinates[0]);
    case 'LineString':
      return pair(geometry.coordinates[Math.floor(geometry.coordinates.length / 2)]);
    case 'MultiLineString': {
      const longest = longestOf(geometry.coordinates);
      return pair(longest?.[Math.floor((longest?.length ?? 0) / 2)]);
    }
    case 'Polygon':
      return insideOf(geometry.coordinates);
    case 'MultiPolygon':
      return insideOf([...geometry.coordinates].sort((a, b) => size(b[0]) - size(a[0]))[0] ?? []);
    default:
      return innerPoint(geometry.geometries[0] ?? null);
  }
}

const pair = (position: GeoJSON.Position | undefined): [number, number] | null =>
  position?.[0] !== undefined && position[1] !== undefined ? [position[0], position[1]] : null;

const longestOf = (lines: GeoJSON.Position[][]) => [...lines].sort((a, b) => b.length - a.length)[0];

function box(ring: GeoJSON.Position[]): [number, number, number, number] {
  const xs = ring.map((position) => position[0] ?? 0);
  const ys = ring.map((position) => position[1] ?? 0);
  return [
    xs.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    ys.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    xs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
    ys.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  ];
}

function size(ring: GeoJSON.Position[] | undefined): number {
  if (!ring || ring.length === 0) return 0;
  const [west, south, east, north] = box(ring);
  return (east - west) * (north - south);
}

/**
 * The middle of the widest stretch that lies inside the rings on one of five horizontal lines, the first halfway up.
 * `null` where no line crosses the rings.
 */
function insideOf(rings: GeoJSON.Position[][]): [number, number] | null {
  const outer = rings[0];
  if (!outer || outer.length < 4) return null;
  const [, south, , north] = box(outer);
  let best: { x: number; y: number; width: number } | null = null;
  for (const share of [0.5, 0.37, 0.63, 0.21, 0.79]) {
    const y = south + (north - south) * share;
    const crossings: number[] = [];
    for (const ring of rings) {
      for (let index = 1; index < ring.length; index += 1) {
        const [ax = 0, ay = 0] = ring[index - 1] ?? [];
        const [bx = 0, by = 0] = ring[index] ?? [];
        if (ay > y !== by > y) crossings.push(ax + ((y - ay) / (by - ay)) * (bx - ax));
      }
    }
    crossings.sort((a, b) => a - b);
    for (let index = 1; index < crossings.length; index += 2) {
      const [from = 0, to = 0] = [crossings[index - 1], crossings[index]];
      if (!best || to - from > best.width) best = { x: (from + to) / 2, y, width: to - from };
    }
  }
  return best ? [best.x, best.y] : null;
}

/** Where the number of a polygon is best written: at its centroid, or at an {@link innerPoint} if that is outside. */
export function labelPoint(geometry: GeoJSON.Geometry | null): [number, number] | null {
  const polygons = geometry?.type === 'MultiPolygon' ? geometry.coordinates : [];
  const rings =
    geometry?.type === 'Polygon' ? geometry.coordinates : [...polygons].sort((a, b) => size(b[0]) - size(a[0]))[0];
  const at = rings?.[0] ? centroid(rings[0]) : null;
  return at && rings && isInside(at, rings) ? at : innerPoint(geometry);
}

/** The centroid of a ring's area; `null` for a ring without area. */
function centroid(ring: GeoJSON.Position[]): [number, number] | null {
  const [x0 = 0, y0 = 0] = ring[0] ?? [];
  let [area, x, y] = [0, 0, 0];
  for (let index = 1; index < ring.length; index += 1) {
    const [ax, ay] = [(ring[index - 1]?.[0] ?? 0) - x0, (ring[index - 1]?.[1] ?? 0) - y0];
    const [bx, by] = [(ring[index]?.[0] ?? 0) - x0, (ring[index]?.[1] ?? 0) - y0];
    const cross = ax * by - bx * ay;
    area += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  return area === 0 ? null : [x0 + x / (3 * area), y0 + y / (3 * area)];
}

/** Whether a position is inside an odd number of rings. */
function isInside([x, y]: [number, number], rings: GeoJSON.Position[][]): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let index = 1; index < ring.length; index += 1) {
      const [ax = 0, ay = 0] = ring[index - 1] ?? [];
      const [bx = 0, by = 0] = ring[index] ?? [];
      if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
    }
  }
  return inside;
}

/** The box around a geometry, or `null` if it has no positions. */
export function boundsOf(geometry: GeoJSON.Geometry | null): [number, number, number, number] | null {
  const positions: GeoJSON.Position[] = [];
  const walk = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    if (typeof value[0] === 'number') positions.push(value as GeoJSON.Position);
    else for (const item of value) walk(item);
  };
  if (geometry?.type === 'GeometryCollection')
    for (const part of geometry.geometries) walk('coordinates' in part ? part.coordinates : []);
  else walk(geometry?.coordinates);
  return positions.length > 0 ? box(positions) : null;
}
