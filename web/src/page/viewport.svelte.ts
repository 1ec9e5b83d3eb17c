/** Where the map looks, and where the pointer is. The map reports both. */
import type { Camera } from '../lib/permalink';
import { metresPerPixel } from '../lib/scale';

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
    return Math.min(MAX_TOLERANCE_M, CLICK_PX * metresPerPixel(lat, zoom));
  }
}
