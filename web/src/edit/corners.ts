/**
 * The corners of a shape, numbered through all of its parts and rings. The last position of a ring, which repeats its
 * first, does not count.
 */
type Position = GeoJSON.Position;

/** A part of a shape: its positions, and whether the last one repeats the first. */
interface ShapePart {
  positions: Position[];
  closed: boolean;
}

function partsOf(geometry: GeoJSON.Geometry): ShapePart[] {
  const open = (positions: Position[]): ShapePart => ({ positions, closed: false });
  const ring = (positions: Position[]): ShapePart => ({ positions: positions.slice(0, -1), closed: true });
  switch (geometry.type) {
    case 'Point':
      return [open([geometry.coordinates])];
    case 'MultiPoint':
      return geometry.coordinates.map((position) => open([position]));
    case 'LineString':
      return [open(geometry.coordinates)];
    case 'MultiLineString':
      return geometry.coordinates.map(open);
    case 'Polygon':
      return geometry.coordinates.map(ring);
    case 'MultiPolygon':
      return geometry.coordinates.flatMap((polygon) => polygon.map(ring));
    default:
      return geometry.geometries.flatMap(partsOf);
  }
}

/** The shape with other positions in its parts, given in the order of {@link partsOf}. */
function rebuild<T extends GeoJSON.Geometry>(geometry: T, parts: Position[][]): T {
  const rest = [...parts];
  const next = () => rest.shift() ?? [];
  const ring = () => {
    const positions = next();
    return [...positions, ...(positions[0] ? [positions[0]] : [])];
  };
  const build = (shape: GeoJSON.Geometry): GeoJSON.Geometry => {
    switch (shape.type) {
      case 'Point':
        return { ...shape, coordinates: next()[0] ?? shape.coordinates };
      case 'MultiPoint':
        return { ...shape, coordinates: shape.coordinates.map((position) => next()[0] ?? position) };
      case 'LineString':
        return { ...shape, coordinates: next() };
      case 'MultiLineString':
        return { ...shape, coordinates: shape.coordinates.map(next) };
      case 'Polygon':
        return { ...shape, coordinates: shape.coordinates.map(ring) };
      case 'MultiPolygon':
        return { ...shape, coordinates: shape.coordinates.map((polygon) => polygon.map(ring)) };
      default:
        return { ...shape, geometries: shape.geometries.map(build) };
    }
  };
  return build(geometry) as T;
}

/** All corners of a shape, in the order of their numbers. */
export function cornersOf(geometry: GeoJSON.Geometry): Position[] {
  return partsOf(geometry).flatMap(({ positions }) => positions);
}

/** Finds corner `index`: the part that it belongs to, and its position in that part. */
function find(geometry: GeoJSON.Geometry, index: number): { parts: ShapePart[]; part: number; at: number } | null {
  const parts = partsOf(geometry);
  let at = index;
  for (const [part, { positions }] of parts.entries()) {
    if (at >= 0 && at < positions.length) return { parts, part, at };
    at -= positions.length;
  }
  return null;
}

function change<T extends GeoJSON.Geometry>(
  geometry: T,
  index: number,
  work: (positions: Position[], at: number, closed: boolean) => Position[] | null,
): T | null {
  const place = find(geometry, index);
  const part = place?.parts[place.part];
  if (!place || !part) return null;
  const positions = work([...part.positions], place.at, part.closed);
  if (!positions) return null;
  return rebuild(
    geometry,
    place.parts.map((other, number) => (number === place.part ? positions : other.positions)),
  );
}

/** The shape with corner `index` moved to another position; `null` if there is no such corner. */
export function moveCorner<T extends GeoJSON.Geometry>(geometry: T, index: number, to: Position): T | null {
  return change(geometry, index, (positions, at) => {
    positions[at] = to;
    return positions;
  });
}

/** The shape with a new corner halfway between corner `index` and the next; `null` if there is no next one. */
export function insertCorner<T extends GeoJSON.Geometry>(geometry: T, index: number): T | null {
  return change(geometry, index, (positions, at, closed) => {
    const from = positions[at];
    const to = positions[at + 1] ?? (closed ? positions[0] : undefined);
    if (!from || !to || from === to) return null;
    const middle = [((from[0] ?? 0) + (to[0] ?? 0)) / 2, ((from[1] ?? 0) + (to[1] ?? 0)) / 2];
    positions.splice(at + 1, 0, middle);
    return positions;
  });
}

/** The shape without corner `index`; `null` if too few would remain. */
export function removeCorner<T extends GeoJSON.Geometry>(geometry: T, index: number): T | null {
  return change(geometry, index, (positions, at, closed) => {
    if (positions.length <= (closed ? 3 : 2)) return null;
    positions.splice(at, 1);
    return positions;
  });
}
