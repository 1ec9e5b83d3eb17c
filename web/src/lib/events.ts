/** The change feed as the web map uses it (docs/changes.md): what each revision did, layer by layer. */
import { type Bbox, getJson } from './api';
import { writerHeaders } from './token';

/** What a revision did to one feature. */
export interface FeatureEvent {
  /** The feature's public id, and the number by which tiles name it. */
  id: string | number;
  fid: number;
  op: 'added' | 'changed' | 'removed';
  /** The box around it now, and the one before the change. */
  bbox: Bbox | null;
  before?: Bbox | null;
}

/** What a revision did to one layer. */
export interface LayerEvent {
  layer: string;
  mode: string;
  added: number;
  changed: number;
  removed: number;
  rejected: number;
  /** The whole layer counts as touched: its fields changed, or the changes are too many to list. */
  whole: boolean;
  bbox: Bbox | null;
  features: FeatureEvent[];
  /** `features` does not list all that changed. */
  truncated?: boolean;
  /** Touched tiles, `[x, y]` by zoom 0–18; a zoom that is missing has too many of them. */
  tiles: Record<string, [number, number][]> | null;
}

/** A revision: one committed change set. `time` is RFC 3339. */
export interface RevisionEvent {
  revision: number;
  time: string;
  message: string;
  author?: string | null;
  source?: string | null;
  layers: LayerEvent[];
}

/** The answer of `/api/changes`. */
export interface ChangesAnswer {
  revisions: RevisionEvent[];
  /** The newest revision of all, listed or not. */
  newest: number;
}

/** The revisions after `since`, oldest first; their authors only with a writer's token. */
export function fetchChanges(since: number, limit = 100): Promise<ChangesAnswer> {
  return getJson(`/api/changes?since=${since}&limit=${limit}`, undefined, { headers: writerHeaders() });
}
