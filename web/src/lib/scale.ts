/** The scale of the map on the screen. */
import { number } from './format';
import type { Lang } from './i18n';

/** The equator in metres, on the sphere of Web Mercator. */
const EQUATOR_M = 40_075_016.686;
/** The side of a map tile in CSS pixels. */
const TILE_PX = 512;
/** A CSS pixel in metres: 1/96 inch. */
const PIXEL_M = 0.0254 / 96;

/** Metres on the ground per CSS pixel at a latitude in degrees. */
export const metresPerPixel = (lat: number, zoom: number): number =>
  (EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / (TILE_PX * 2 ** zoom);

/**
 * The scale as each language writes it, rounded to two digits: 1/2.300 in Vietnamese, 1:2,300 in English. It is that of
 * a screen with 96 pixels an inch; on other screens the picture is larger or smaller.
 */
export function scaleText(lat: number, zoom: number, lang: Lang): string {
  const denominator = Number((metresPerPixel(lat, zoom) / PIXEL_M).toPrecision(2));
  return `1${lang === 'vi' ? '/' : ':'}${number(denominator, lang, 0)}`;
}
