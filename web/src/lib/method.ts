/** How an area or a length was computed, in words. */
import type { Measure } from './api';
import { city } from './city';
import type { Messages } from './i18n';
import { meridianText, zoneDegrees } from './vn2000';

/** On which grid or surface the figure was computed; an empty text where that is not known. */
export function methodText(size: Pick<Measure, 'method' | 'crs'>, words: Messages): string {
  if (!size.method) return '';
  if (size.method !== 'grid') return words.methodEllipsoid;
  const { grid } = city();
  return grid && size.crs === grid.crs
    ? words.methodZone(meridianText(), zoneDegrees())
    : words.methodGrid(size.crs ?? '');
}
