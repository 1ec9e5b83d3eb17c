/** How a layer is called on the page. */
import type { Collection } from './api';
import { titleText } from './format';
import type { Lang } from './i18n';

const MARK = /\s*[([–—-]+\s*(dữ liệu giả lập|giả lập|synthetic( data)?)\s*[)\]]*\s*$/i;

/** The layer's title, without an ending that only repeats the badge "synthetic". */
export function layerName(collection: Collection, lang: Lang): string {
  const title = titleText(collection.citymap.titles, lang, collection.title || collection.id);
  return collection.citymap.synthetic ? title.replace(MARK, '') || title : title;
}
