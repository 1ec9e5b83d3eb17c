/**
 * The HTTP interface as the web map uses it (docs/http-api.md). Positions are WGS 84 longitude, latitude in degrees.
 */
import type { Lang } from './i18n';
import { PATIENCE_MS, watch } from './patience';
import { minRevisionHeaders, withTime } from './requesttime';
import { serverUrl } from './root';

/** A text in both languages; an empty one was not written. */
export interface Titles {
  vi: string;
  en: string;
}

/** One code of a code list. `color` is its official colour, `#rrggbb`, if it has one. */
export interface CodeEntry extends Titles {
  code: string;
  color?: string | null;
  group?: string | null;
}

/** A public field of a layer. */
export interface Field {
  name: string;
  type: 'bool' | 'int' | 'real' | 'text' | 'date' | 'datetime';
  title?: Titles | null;
  unit?: string | null;
  /** The codes with their texts; the id is null where they are the field's own. */
  codeList?: { id: string | null; title?: Titles | null; entries: CodeEntry[] } | null;
  /** The bounds of its numbers; a bound that is not set is null. */
  range?: { min?: number | null; max?: number | null } | null;
  /** The pattern of its texts: `*` is any text, `?` any character, `[a-z]` one of these. */
  pattern?: string | null;
  /** What the values say about the feature; the page goes by this and never by the name. */
  meaning?: Meaning | null;
}

/** The meanings of fields that the page uses; the server knows more. */
export type Meaning = 'name' | 'house_number' | 'plan_level' | 'road_class' | 'right_of_way' | 'width' | (string & {});

/** What a layer shows, where its role does not say it. */
export type Theme =
  | 'water'
  | 'green'
  | 'power'
  | 'boundary'
  | 'hydrant'
  | 'light'
  | 'school'
  | 'hospital'
  | 'market'
  | 'park'
  | 'report';

export type Role =
  | 'parcel'
  | 'zone'
  | 'road'
  | 'building'
  | 'address'
  | 'admin_unit'
  | 'utility'
  | 'place'
  | 'report'
  | 'other';

export type GeometryKind = 'point' | 'line' | 'polygon' | 'mixed' | 'none';

/** `[west, south, east, north]` in degrees. */
export type Bbox = [number, number, number, number];

/** A layer as `/api/collections` describes it. */
export interface Collection {
  id: string;
  title: string;
  description?: string;
  extent?: { spatial?: { bbox?: number[][] } };
  citymap: {
    titles: Titles;
    role: Role;
    geometry: GeometryKind;
    count: number;
    revision: number;
    key?: string | null;
    label?: string | null;
    /** The fields with the first and the last day on which a feature is valid. */
    validFrom?: string | null;
    validTo?: string | null;
    dataDate?: string | null;
    source?: string | null;
    sourceCrs?: string | null;
    steward?: string | null;
    attribution?: string | null;
    synthetic?: boolean;
    theme?: Theme | null;
    /** Whether the map shows it before the user chooses. */
    shown?: boolean;
    fields: Field[];
    /**
     * How its tiles are cut. From `detailZoom` on they contain every feature; below it polygons are merged into areas
     * of one value of `class`, points into clusters, and lines are thinned by it.
     */
    tileRule?: { detailZoom: number; class?: string | null };
    /** Names the state of the layer's tiles: a tile that is requested with it may be cached for a year. */
    tilesVersion: string;
  };
}

/** An area or a length with its unit, and how it was computed. */
export interface Measure {
  value: number;
  unit: string;
  method?: string;
  crs?: string;
}

/** A feature of an answer. `distance` is in metres, 0 if the feature contains the point. */
export interface Feature {
  type: 'Feature';
  id: string | number;
  geometry: GeoJSON.Geometry | null;
  properties: Record<string, unknown>;
  distance?: number;
  label?: string | null;
  area?: Measure | null;
  length?: Measure | null;
}

/** The answer of `/api/at`: every requested layer, also those without a feature here. */
export interface AtAnswer {
  point: { lon: number; lat: number };
  vn2000?: { crs: string; x: number; y: number } | null;
  revision: number;
  layers: { layer: string; titles: Titles; role: Role; truncated: boolean; features: Feature[] }[];
}

/** One answer of `/api/search`. */
export interface SearchResult {
  kind: string;
  layer: string | null;
  id: string | number | null;
  label: string;
  detail?: string | null;
  lon: number;
  lat: number;
  bbox?: Bbox | null;
  precision?: string;
  /** Whether it lies outside the place that the text names. */
  elsewhere?: boolean;
  /** Whether the text has typing errors or other spaces, compared with it. */
  similar?: boolean;
  score?: number;
}

/** The answers to one search. */
export interface SearchAnswer {
  results: SearchResult[];
  /** The place that the text names beside what it looks for; `matched` is false if nothing there fits. */
  place?: { label: string; bbox: Bbox; matched: boolean } | null;
}

/**
 * A failed request: `status` is that of the server's answer, or 0 if none came. `kind` is the last word of the
 * problem's type, or `no-answer` or `timeout`; `reference` is the id under which the server's log has the request.
 */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly kind = status === 404 ? 'not-found' : '',
    readonly reference = '',
  ) {
    super(message);
  }
}

/** Sends a request to a path of the server and reads the JSON of a successful answer, or throws {@link ApiError}. */
export async function getJson<T>(path: string, signal?: AbortSignal, question?: RequestInit): Promise<T> {
  const response = await ask(path, signal, question);
  return (await response.json()) as T;
}

/** Sends a request to a path of the server and returns a successful answer, or throws {@link ApiError}. */
export async function ask(path: string, signal?: AbortSignal, question?: RequestInit): Promise<Response> {
  const headers = { accept: 'application/geo+json, application/json', ...minRevisionHeaders(), ...question?.headers };
  const response = await send(path, { ...question, headers, signal });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** `fetch` of a path of the server that is watched: it gives up after a while. Throws {@link ApiError} with status 0 if no answer comes. */
export async function send(path: string, question: RequestInit): Promise<Response> {
  const ended = watch();
  const timeout = AbortSignal.timeout(PATIENCE_MS);
  const signal = question.signal ? AbortSignal.any([question.signal, timeout]) : timeout;
  try {
    return await fetch(serverUrl(path), { ...question, signal });
  } catch (error) {
    if (question.signal?.aborted) throw error;
    throw new ApiError(0, String(error), timeout.aborted ? 'timeout' : 'no-answer');
  } finally {
    ended();
  }
}

/** A problem+json answer, or any other that is not a success, as an error. */
async function problemOf(response: Response): Promise<ApiError> {
  const { status, headers } = response;
  const problem = (await response.json().catch(() => ({}))) as { type?: string; title?: string; detail?: string };
  const kind = problem.type?.split(':').at(-1);
  return new ApiError(
    status,
    problem.detail ?? problem.title ?? `HTTP ${status}`,
    kind,
    headers.get('x-request-id') ?? '',
  );
}

/** The path (with `{z}`, `{x}`, `{y}`) of a layer's tiles, with their version and the time of the data. */
export function tileUrl(collection: Collection, version = collection.citymap.tilesVersion): string {
  return withTime(`/tiles/${encodeURIComponent(collection.id)}/{z}/{x}/{y}?rev=${encodeURIComponent(version)}`, true);
}

interface Layers {
  collections: Collection[];
  revision: number;
}

/** The layers that were requested before the rest of the page was there, and the path of that request. */
let early: { path: string; answer: Promise<Layers> } | null = null;

/** Requests all layers for the first picture. The first {@link fetchCollections} gets the same answer. */
export function requestCollections(): Promise<Layers> {
  const answer = fetchCollections();
  early = { path: withTime('/api/collections'), answer };
  return answer;
}

/** All layers in the order of the catalogue, and their revision. */
export async function fetchCollections(): Promise<Layers> {
  const requested = early;
  early = null;
  if (requested?.path === withTime('/api/collections')) return requested.answer;
  const response = await ask(withTime('/api/collections'));
  const { collections } = (await response.json()) as { collections: Collection[] };
  return { collections, revision: Number(response.headers.get('citymap-revision') ?? 0) };
}

/** One layer; `null` if it no longer exists. */
export async function fetchCollection(layer: string): Promise<Collection | null> {
  try {
    return await getJson<Collection>(withTime(`/api/collections/${encodeURIComponent(layer)}`));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** What is at a position, on every layer. Points and lines are found within `tolerance` metres. */
export function fetchAt(
  lon: number,
  lat: number,
  tolerance: number,
  signal?: AbortSignal,
  layers?: string[],
): Promise<AtAnswer> {
  const query = new URLSearchParams({
    lon: lon.toFixed(7),
    lat: lat.toFixed(7),
    tolerance: String(Math.min(500, Math.max(0.5, Math.round(tolerance * 10) / 10))),
  });
  if (layers) query.set('layers', layers.join(','));
  return getJson(withTime(`/api/at?${query}`, true), signal);
}

/** The path of a feature. */
export function itemUrl(layer: string, id: string | number): string {
  return `/api/collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(String(id))}`;
}

/** The feature with an id. Throws {@link ApiError} with status 404 if it does not exist. */
export function fetchItem(layer: string, id: string | number, signal?: AbortSignal): Promise<Feature> {
  return getJson(withTime(itemUrl(layer, id)), signal);
}

/** How many times a search is repeated, a second apart, while the server is not ready for it. */
const SEARCH_TRIES = 10;

/**
 * Searches for a text; of equal results those nearer to `near` (longitude, latitude) come first. `lang` is the language
 * of what is said about the results.
 */
export async function fetchSearch(
  text: string,
  near: [number, number],
  lang: Lang,
  signal?: AbortSignal,
): Promise<SearchAnswer> {
  const query = new URLSearchParams({
    q: text,
    lang,
    limit: '12',
    lon: near[0].toFixed(6),
    lat: near[1].toFixed(6),
  });
  for (let tries = 0; ; tries++) {
    try {
      return await getJson<SearchAnswer>(`/api/search?${query}`, signal);
    } catch (error) {
      // A server that has just started needs some seconds to index its names.
      if (!(error instanceof ApiError && error.status === 503) || tries === SEARCH_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      signal?.throwIfAborted();
    }
  }
}

/** The newest revision that the server shows, or `null` if it does not answer. */
export async function fetchRevision(): Promise<number | null> {
  try {
    const response = await fetch(serverUrl('/health/ready'), { cache: 'no-store' });
    // A server that cannot reach its database for a while answers 503 and still shows the revision it has.
    const revision = response.headers.get('citymap-revision');
    return revision === null ? null : Number(revision);
  } catch {
    return null;
  }
}

/** The first field of a layer with a meaning. */
export const fieldWith = (collection: Collection, meaning: Meaning): Field | undefined =>
  collection.citymap.fields.find((field) => field.meaning === meaning);
