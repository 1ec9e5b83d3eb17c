/** The city of `data/city.tsv`, as the server describes it: for the made-up quarter and for tests. */
import { readFileSync } from 'node:fs';
import type { City } from '../../src/lib/city';
import type { Lang } from '../../src/lib/i18n';

const rows = readFileSync(new URL('../../../data/city.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => line.split('\t') as [string, string]);
const values = Object.fromEntries(rows);
const value = (key: string) => values[key] ?? '';
const label = (key: string) => value(key).replace('|', '\n');

/** Its home grid is the zone 105°45′ of VN-2000. */
export const CITY: City = {
  name: { vi: value('name_vi'), en: value('name_en') },
  mapLabel: { vi: label('map_label_vi'), en: label('map_label_en') },
  grid: { crs: `EPSG:${value('crs')}`, centralMeridian: 105.75, scale: 0.9999 },
  utcOffset: value('utc_offset'),
  view: { lon: Number(value('lon')), lat: Number(value('lat')), zoom: Number(value('zoom')) },
  languages: value('languages').split(',') as Lang[],
};
