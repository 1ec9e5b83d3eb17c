/** How layers, features and former states are called on the page. */
import type { Collection, Feature } from './api';
import { day, featureName, instant, titleText } from './format';
import type { Lang, Messages } from './i18n';

const MARK = /\s*[([–—-]+\s*(dữ liệu giả lập|giả lập|synthetic( data)?)\s*[)\]]*\s*$/i;

/** The layer's title, without an ending that only repeats the badge "synthetic". */
export function layerName(collection: Collection, lang: Lang): string {
  const title = titleText(collection.citymap.titles, lang, collection.title || collection.id);
  return collection.citymap.synthetic ? title.replace(MARK, '') || title : title;
}

/** The title of a feature: its name; a parcel's numbers are unique within its commune only, which it therefore has. */
export function featureTitle(
  feature: Feature,
  layer: Collection | undefined,
  commune: string | undefined,
  lang: Lang,
): string {
  const own = featureName(feature, layer, lang);
  return layer?.citymap.role === 'parcel' && commune ? `${own}, ${commune}` : own;
}

/** A former state of the data: by its day or time or, where these are unknown, by the number of its change. */
export function momentName(
  { day: chosen, time, revision }: { day: string | null; time: string; revision: number },
  words: Messages,
  lang: Lang,
): string {
  if (!time) return words.recordOfChange(revision);
  return chosen ? words.recordOfDay(day(chosen, lang), instant(time, lang)) : words.record(instant(time, lang));
}
