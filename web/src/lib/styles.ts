/** The server's styles of the map (docs/styles.md): the list, the documents, and how requests ask for them. */
import type { StyleSpecification } from 'maplibre-gl';
import { type Bbox, getJson } from './api';
import type { Lang } from './i18n';
import { withTime } from './requesttime';
import type { ThemeName } from './theme';

/** The style that the map begins with. An operator who wants another beginning gives it another content. */
export const FIRST_STYLE = 'cadastre';

/** The levels of plans that a style may be restricted to, from the coarsest to the finest. */
export const STYLE_LEVELS = ['qhc', 'qhpk', 'qhct', 'dccb'] as const;
export type StyleLevel = (typeof STYLE_LEVELS)[number];

/** A style as the list has it, in the language of the request. */
export interface StyleEntry {
  id: string;
  title: string;
  description?: string;
}

/** What of a style is wanted. */
export interface StyleQuery {
  style: string;
  /** The only level of plans that is drawn; all of them where it is null. */
  level: StyleLevel | null;
  theme: ThemeName;
  lang: Lang;
  /** The layers that are drawn instead of those of the style; null for its own. */
  layers: readonly string[] | null;
}

/** How many styles are kept: those of the themes in both looks and languages, and some choices of layers. */
const KEPT_MAX = 24;

/** The styles that were requested, by their paths, the oldest first. */
const kept = new Map<string, Promise<StyleSpecification>>();

/** The path of something that the server makes of a style: `''` for the style, `/legend` for its legend. */
export function stylePath({ style, level, theme, lang, layers }: StyleQuery, part: '' | '/legend' = ''): string {
  const query = new URLSearchParams({ appearance: theme, lang });
  if (level) query.set('level', level);
  if (layers) query.set('collections', layers.join(','));
  return withTime(`/api/styles/${encodeURIComponent(style)}${part}?${query}`, true);
}

/** The styles that there are to choose from, in the server's order. */
export async function fetchStyles(lang: Lang): Promise<StyleEntry[]> {
  const { styles } = await getJson<{ styles: StyleEntry[] }>(`/api/styles?f=json&lang=${lang}`);
  return styles;
}

/** A style. It is requested once; those who ask for it again get the same document. */
export function fetchStyle(query: StyleQuery): Promise<StyleSpecification> {
  const path = stylePath(query);
  const known = kept.get(path);
  if (known) return known;
  const answer = getJson<StyleSpecification>(path);
  kept.set(path, answer);
  const [oldest] = kept.keys();
  if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
  // What failed is requested again.
  answer.catch(() => {
    if (kept.get(path) === answer) kept.delete(path);
  });
  return answer;
}

/** Forgets all styles: the catalogue that they were made from has changed. */
export const forgetStyles = (): void => kept.clear();

/** The id of the layer of the city that a style layer draws; null for one that draws something else. */
export function drawnBy(layer: StyleSpecification['layers'][number]): string | null {
  const named = (layer.metadata as Record<string, unknown> | undefined)?.['citymap:collection'];
  if (typeof named === 'string') return named;
  return 'source-layer' in layer && typeof layer['source-layer'] === 'string' ? layer['source-layer'] : null;
}

/** What one style layer draws: lengths in pixels, opacities from 0 to 1, colours `#rrggbb`, images of the sprite. */
export type LegendPart =
  | { type: 'fill'; color: string; opacity: number }
  | { type: 'pattern'; image: string; opacity: number }
  | { type: 'line'; color: string; opacity: number; width: number; dashes?: number[]; offset: number }
  | { type: 'circle'; color: string; opacity: number; radius: number; strokeColor: string; strokeWidth: number }
  | { type: 'icon'; image: string; size: number };

/** A row of a legend. `parts` are drawn from bottom to top. */
export interface LegendEntry {
  label: string;
  code?: string;
  geometry: 'point' | 'line' | 'polygon';
  parts: LegendPart[];
}

/** What is drawn of one layer. */
export interface LegendGroup {
  collection: string;
  title: string;
  entries: LegendEntry[];
}

/** What a style draws at a zoom level, of each layer; in a box only what occurs there. */
export async function fetchLegend(
  query: StyleQuery,
  zoom: number,
  box: Bbox | null,
  signal?: AbortSignal,
): Promise<Map<string, LegendGroup>> {
  const { groups } = await getJson<{ groups: LegendGroup[] }>(legendPath(query, zoom, box), signal);
  return new Map(groups.map((group) => [group.collection, group]));
}

/** The path of the legend of a style at a zoom level; with a box, of what occurs there. */
export function legendPath(query: StyleQuery, zoom: number, box: Bbox | null): string {
  const path = `${stylePath(query, '/legend')}&f=json&zoom=${+zoom.toFixed(2)}`;
  return box ? `${path}&bbox=${box.map((value) => +value.toFixed(6)).join(',')}` : path;
}
