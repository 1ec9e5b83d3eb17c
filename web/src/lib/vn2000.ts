/** The VN-2000 coordinate system in the browser. */
import proj4 from 'proj4';

/**
 * VN-2000 is computed here for the readout under the pointer, edge lengths and tools, never for what is stored.
 *
 * The datum shift is the legal one (Decision 05/2007, EPSG:6960). It is published as a coordinate-frame rotation;
 * `+towgs84` follows the position-vector convention, so its three rotations have the opposite sign here.
 */
const TOWGS84 = '-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278';

/** The city's home zone: EPSG:9210, TM-3 with central meridian 105°45′, k 0.9999, false easting 500 000 m. */
const HOME = proj4(
  'WGS84',
  `+proj=tmerc +lat_0=0 +lon_0=105.75 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 +towgs84=${TOWGS84} +units=m +no_defs`,
);

/** Easting and northing in metres (EPSG:9210) of a WGS 84 position in degrees. */
export function toVn2000(lon: number, lat: number): [easting: number, northing: number] {
  const [easting, northing] = HOME.forward([lon, lat]);
  return [easting, northing];
}

/** WGS 84 longitude and latitude in degrees of an easting and northing in metres (EPSG:9210). */
export function fromVn2000(easting: number, northing: number): [lon: number, lat: number] {
  const [lon, lat] = HOME.inverse([easting, northing]);
  return [lon, lat];
}

/** Whether a position is in Vietnam or its seas, the area of use of EPSG:4756's datum shift. */
export function inVietnam(lon: number, lat: number): boolean {
  return lon >= 102 && lon <= 118 && lat >= 6 && lat <= 24;
}

/** Length in metres on the grid of EPSG:9210 between two WGS 84 positions. */
export function gridDistance(a: GeoJSON.Position, b: GeoJSON.Position): number {
  const [ax, ay] = toVn2000(a[0] ?? 0, a[1] ?? 0);
  const [bx, by] = toVn2000(b[0] ?? 0, b[1] ?? 0);
  return Math.hypot(bx - ax, by - ay);
}
