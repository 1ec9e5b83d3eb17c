/** Where the map looks, and where the pointer is. The map reports both. */
import type { Camera } from '../lib/permalink';

/** The equator in metres, on the sphere of Web Mercator. */
const EQUATOR_M = 40_075_016.686;
/** Pixels around a click within which points and lines are found. */
const CLICK_PX = 8;
/** The largest tolerance that `/api/at` accepts, in metres. */
const MAX_TOLERANCE_M = 500;

export class Viewport {
  /** `null` until the map has started, unless the page's address says where to look. */
  camera = $state.raw<Camera | null>(null);
  /** The position under the pointer, longitude and latitude in degrees; `null` outside the map. */
  pointer = $state.raw<[number, number] | null>(null);

  /** The zoom level, or `fallback` before the map has started. */
  zoom(fallback = 0): number {
    return this.camera?.zoom ?? fallback;
  }

  /** Metres around a click at latitude `lat` (degrees) at a zoom level within which points and lines are found. */
  tolerance(lat: number, zoom = this.zoom(14)): number {
    const metresPerPixel = (EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** zoom);
    return Math.min(MAX_TOLERANCE_M, CLICK_PX * metresPerPixel);
  }
}
