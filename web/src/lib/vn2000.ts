/** The VN-2000 coordinate system in the browser. */
import proj4 from 'proj4';
import { city } from './city';

/**
 * VN-2000 is computed here for the readout under the pointer, edge lengths and tools, never for what is stored.
 *
 * The datum shift is the legal one (Decision 05/2007, EPSG:6960). It is published as a coordinate-frame rotation;
 * `+towgs84` follows the position-vector convention, so its three rotations have the opposite sign here.
 */
const TOWGS84 = '-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278';

/** The projections of the zones that were used. */
const projections = new Map<string, proj4.Converter>();

/** The projection of the city's home grid; `null` where that is no zone of VN-2000. */
function projection(): proj4.Converter | null {
  const { grid } = city();
  if (!grid) return null;
  const known = projections.get(grid.crs);
  if (known) return known;
  const zone = `+proj=tmerc +lat_0=0 +lon_0=${grid.centralMeridian} +k=${grid.scale} +x_0=500000 +y_0=0`;
  const made = proj4('WGS84', `${zone} +ellps=WGS84 +towgs84=${TOWGS84} +units=m +no_defs`);
  projections.set(grid.crs, made);
  return made;
}

/** The central meridian of the home grid, `105°45′`. */
export function meridianText(): string {
  const minutes = Math.round((city().grid?.centralMeridian ?? 0) * 60);
  return `${Math.floor(minutes / 60)}°${String(minutes % 60).padStart(2, '0')}′`;
}

/** The width of the home grid's zones in degrees, which its scale factor tells (Circular 973/2001/TT-TCĐC). */
export const zoneDegrees = (): number => ((city().grid?.scale ?? 0.9999) < 0.9998 ? 6 : 3);

/** Easting and northing in metres on the home grid of a WGS 84 position in degrees. */
export function toVn2000(lon: number, lat: number): [easting: number, northing: number] {
  const [easting, northing] = projection()?.forward([lon, lat]) ?? [Number.NaN, Number.NaN];
  return [easting, northing];
}

/** WGS 84 longitude and latitude in degrees of an easting and northing in metres on the home grid. */
export function fromVn2000(easting: number, northing: number): [lon: number, lat: number] {
  const [lon, lat] = projection()?.inverse([easting, northing]) ?? [Number.NaN, Number.NaN];
  return [lon, lat];
}

/**
 * Whether the home grid has a meaning at a position: in Vietnam and its seas, the area of use of EPSG:4756's datum
 * shift.
 */
export function inVietnam(lon: number, lat: number): boolean {
  return city().grid !== null && lon >= 102 && lon <= 118 && lat >= 6 && lat <= 24;
}

/** Length in metres on the home grid between two WGS 84 positions. */
export function gridDistance(a: GeoJSON.Position, b: GeoJSON.Position): number {
  const [ax, ay] = toVn2000(a[0] ?? 0, a[1] ?? 0);
  const [bx, by] = toVn2000(b[0] ?? 0, b[1] ?? 0);
  return Math.hypot(bx - ax, by - ay);
}
