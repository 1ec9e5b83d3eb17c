/** The city that the page shows, as the server's landing document (`/api`) describes it. */
import { getJson, type Titles } from './api';
import type { Lang } from './i18n';

/** A zone of VN-2000: the transverse Mercator grid on which the city gives coordinates, lengths and areas. */
export interface Grid {
  /** `EPSG:n` */
  crs: string;
  /** In degrees. */
  centralMeridian: number;
  /** The scale factor at the central meridian. */
  scale: number;
}

export interface City {
  name: Titles;
  /** The name as a map of the whole country writes it, with line breaks. */
  mapLabel: Titles;
  /** `null` where the home grid is no zone of VN-2000: the page then shows degrees only. */
  grid: Grid | null;
  /** `+07:00` */
  utcOffset: string;
  /** Where the map begins. */
  view: { lon: number; lat: number; zoom: number };
  /** The preferred language first. */
  languages: Lang[];
}

/** All of Vietnam, for as long as the server does not answer. */
let current: City = {
  name: { vi: '', en: '' },
  mapLabel: { vi: '', en: '' },
  grid: null,
  utcOffset: '+00:00',
  view: { lon: 106, lat: 16, zoom: 5 },
  languages: ['vi', 'en'],
};

/** The city that the page shows. It is known before anything is shown, unless the server did not answer then. */
export const city = (): City => current;

/** Makes the page show a city. */
export function showCity(next: City): void {
  current = next;
}

let loading: Promise<void> | null = null;

/** Asks the server for its city, once; again only where it did not answer. */
export function loadCity(): Promise<void> {
  loading ??= request().catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function request(): Promise<void> {
  const { citymap } = await getJson<{ citymap: { city: City } }>('/api?f=json');
  showCity(citymap.city);
}

/** What the city's clocks are ahead of UTC, in milliseconds. */
export function utcOffsetMs(): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(current.utcOffset) ?? [];
  return (sign === '-' ? -60_000 : 60_000) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
}
