/** The page's address: all of its state that a link can carry. */
import type { Lang } from './i18n';
import { STYLE_LEVELS, type StyleLevel } from './styles';
import type { ThemeName } from './theme';

/** Where the map looks: degrees, zoom, and bearing in degrees from north. */
export interface Camera {
  lon: number;
  lat: number;
  zoom: number;
  bearing: number;
}

/** A feature by its layer and id. */
export interface FeatureRef {
  layer: string;
  id: string;
}

/** The state of the page that its address carries. What is missing has its default. */
export interface Link {
  camera?: Camera;
  /** How the map is drawn: a style of the server, and the only level of plans in it. */
  style?: string;
  level?: StyleLevel;
  /** Layers that are shown or hidden contrary to what the style does. */
  on: string[];
  off: string[];
  /** The layers from the top, where it is not the order at first. */
  order: string[];
  /** Opacities in per cent that are not 100. */
  opacity: Record<string, number>;
  /** The point that was asked about, longitude and latitude. */
  at?: [number, number];
  selected?: FeatureRef;
  /** The revision that is shown, unless it is the newest. */
  revision?: number;
  /** The day on which what is shown must have been valid. */
  valid?: string;
  lang?: Lang;
  theme?: ThemeName;
}

const LAYER = /^[a-z][a-z0-9_]*$/;
const STYLE = /^[a-z0-9_-]{1,63}$/;
const inRange = (value: number, low: number, high: number) => Number.isFinite(value) && value >= low && value <= high;

function readCamera(text: string | null): Camera | undefined {
  const [zoom, lat, lon, bearing = 0] = (text ?? '').split('/').map(Number);
  if (zoom === undefined || lat === undefined || lon === undefined) return undefined;
  const good = inRange(zoom, 0, 24) && inRange(lat, -85, 85) && inRange(lon, -180, 180) && Number.isFinite(bearing);
  return good ? { zoom, lat, lon, bearing } : undefined;
}

function readPoint(text: string | null): [number, number] | undefined {
  if (!text) return undefined;
  const [lon, lat] = text.split(',').map(Number);
  if (lon === undefined || lat === undefined) return undefined;
  return inRange(lon, -180, 180) && inRange(lat, -90, 90) ? [lon, lat] : undefined;
}

function readOpacity(text: string | null): Record<string, number> {
  const result: Record<string, number> = {};
  for (const pair of (text ?? '').split(',')) {
    const [layer = '', percent] = pair.split(':');
    if (LAYER.test(layer) && inRange(Number(percent), 0, 100)) result[layer] = Number(percent);
  }
  return result;
}

function readRevision(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A day of the calendar; 31 February is none. */
function readDay(text: string | null): string | undefined {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text) ? text : undefined;
}

const readLayers = (text: string | null) => (text ?? '').split(',').filter((layer) => LAYER.test(layer));

/**
 * Reads the part of an address after `#`. What cannot be read is ignored and never an error: links are typed by hand
 * and cut off in messages.
 */
export function readLink(hash: string): Link {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  const [layer = '', ...id] = (query.get('sel') ?? '').split(':');
  const lang = query.get('lang');
  const theme = query.get('theme');
  const style = query.get('style') ?? '';
  return {
    camera: readCamera(query.get('map')),
    style: STYLE.test(style) ? style : undefined,
    level: STYLE_LEVELS.find((level) => level === query.get('level')),
    on: readLayers(query.get('on')),
    off: readLayers(query.get('off')),
    order: [...new Set(readLayers(query.get('order')))],
    opacity: readOpacity(query.get('op')),
    at: readPoint(query.get('at')),
    // Keys may contain colons.
    selected: LAYER.test(layer) && id.length > 0 ? { layer, id: id.join(':') } : undefined,
    revision: readRevision(query.get('rev')),
    valid: readDay(query.get('valid')),
    lang: lang === 'vi' || lang === 'en' ? lang : undefined,
    theme: theme === 'light' || theme === 'dark' ? theme : undefined,
  };
}

/** Writes the part of an address after `#`, short and readable. */
export function writeLink(link: Link): string {
  const parts: string[] = [];
  if (link.camera) {
    const { zoom, lat, lon, bearing } = link.camera;
    const turned = Math.round(bearing * 10) / 10;
    parts.push(`map=${+zoom.toFixed(2)}/${lat.toFixed(6)}/${lon.toFixed(6)}${turned ? `/${turned}` : ''}`);
  }
  if (link.style) parts.push(`style=${link.style}`);
  if (link.level) parts.push(`level=${link.level}`);
  if (link.on.length > 0) parts.push(`on=${link.on.join(',')}`);
  if (link.off.length > 0) parts.push(`off=${link.off.join(',')}`);
  if (link.order.length > 0) parts.push(`order=${link.order.join(',')}`);
  const opacity = Object.entries(link.opacity).filter(([, percent]) => percent !== 100);
  if (opacity.length > 0) parts.push(`op=${opacity.map(([layer, percent]) => `${layer}:${percent}`).join(',')}`);
  if (link.at) parts.push(`at=${link.at[0].toFixed(7)},${link.at[1].toFixed(7)}`);
  if (link.selected) parts.push(`sel=${link.selected.layer}:${encodeURIComponent(link.selected.id)}`);
  if (link.revision !== undefined) parts.push(`rev=${link.revision}`);
  if (link.valid) parts.push(`valid=${link.valid}`);
  if (link.lang) parts.push(`lang=${link.lang}`);
  if (link.theme) parts.push(`theme=${link.theme}`);
  return `#${parts.join('&')}`;
}
