/** What is inside an area: the question `/api/within`, by layer, by the values of fields, and feature by feature. */
import {
  type Collection,
  type Feature,
  type Field,
  fieldWith,
  getJson,
  type Measure,
  type Role,
  type Titles,
} from './api';
import type { FeatureRef } from './permalink';
import { withTime } from './requesttime';

/**
 * Sums over features: `count` of them share a point with the area, `whole` of these are inside, `contacts` only touch
 * it. `area` and `length` are of the parts inside, `fullArea` and `fullLength` of the same features in full. `share` is
 * `area` divided by the size of the area.
 */
export interface Share {
  count: number;
  whole: number;
  contacts: number;
  area?: Measure;
  length?: Measure;
  fullArea?: Measure;
  fullLength?: Measure;
  share?: number;
}

/** The features that have the same values in the fields by which their layer is divided. */
export interface ShareGroup extends Share {
  values: Record<string, unknown>;
}

/** A feature in the area, with the part of it that is inside. */
export interface ListedFeature extends Feature {
  inside: Share;
}

/** What is inside of one layer. */
export interface LayerShare extends Share {
  layer: string;
  titles: Titles;
  role: Role;
  /** The fields by which it is divided. */
  by?: string[];
  groups?: ShareGroup[];
  features?: ListedFeature[];
  /** Where the next page of features begins; missing on the last one. */
  next?: number;
}

/** The answer of `/api/within`. */
export interface WithinAnswer {
  revision: number;
  area: Measure;
  layers: LayerShare[];
}

/** An area that was drawn, or one that is a feature. */
export type StatsArea = { polygon: GeoJSON.Polygon } | { feature: FeatureRef };

/** What is asked about an area. */
export interface WithinQuestion {
  /** Fields that divide layers, `LAYER.FIELD`. */
  by?: string[];
  /** One layer, of which features are listed. */
  list?: { layer: string; limit: number; after?: number; values?: Record<string, unknown> };
}

/** Asks what is inside an area. Throws `ApiError`. */
export function fetchWithin(area: StatsArea, question: WithinQuestion, signal?: AbortSignal): Promise<WithinAnswer> {
  const query = new URLSearchParams();
  const { by, list } = question;
  if (by && by.length > 0) query.set('by', by.join(','));
  if (list) {
    query.set('layers', list.layer);
    query.set('features', 'true');
    query.set('limit', String(list.limit));
    if (list.after !== undefined) query.set('after', String(list.after));
    // An empty text stands for features without a value.
    for (const [field, value] of Object.entries(list.values ?? {}))
      query.set(field, value === null ? '' : String(value));
  }
  if ('feature' in area) query.set('of', `${area.feature.layer}:${area.feature.id}`);
  const text = query.toString();
  const path = withTime(`/api/within${text === '' ? '' : `?${text}`}`, true);
  if ('feature' in area) return getJson(path, signal);
  return getJson(path, signal, {
    method: 'POST',
    headers: { 'content-type': 'application/geo+json' },
    body: JSON.stringify(area.polygon),
  });
}

/** The meanings by which a layer is divided: the first of them that it has. */
const DIVIDING = ['land_use', 'plan_function', 'road_class', 'class', 'status'] as const;

/** The fields by which statistics divide a layer: plans by level and function, others by their use, class or codes. */
export function dividingFields(layer: Collection): Field[] {
  const level = fieldWith(layer, 'plan_level');
  const meant = DIVIDING.map((meaning) => fieldWith(layer, meaning)).find((field) => field !== undefined);
  const coded = layer.citymap.fields.find((field) => (field.codeList?.entries.length ?? 0) > 1);
  const other = meant ?? (coded === level ? undefined : coded);
  return [level, other].filter((field) => field !== undefined);
}

/** The most fields that the server divides by. */
const DIVIDING_MAX = 64;

/** How the layers are divided, for {@link WithinQuestion.by}. */
export const dividedBy = (layers: Collection[]): string[] =>
  layers.flatMap((layer) => dividingFields(layer).map((field) => `${layer.id}.${field.name}`)).slice(0, DIVIDING_MAX);
