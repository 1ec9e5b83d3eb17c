/** The change feed as the web map uses it (docs/changes.md): what each revision did, layer by layer. */
import { type Bbox, getJson } from './api';

/** What a revision did to one feature. */
export interface FeatureEvent {
  /** The feature's id as the interface has it, and its number, which tiles carry. */
  id: string | number;
  fid: number;
  op: 'added' | 'changed' | 'removed';
  /** The box it has now, and the one it had before. */
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
  /** Too much to list, or its fields are others now: all of the layer counts as touched. */
  whole: boolean;
  bbox: Bbox | null;
  features: FeatureEvent[];
  /** Not all features are listed. */
  truncated?: boolean;
  /** Touched tiles, `[x, y]` by zoom 0–18; a zoom that is left out has too many of them. */
  tiles: Record<string, [number, number][]> | null;
}

/** One revision. `time` is RFC 3339. */
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
  /** The newest revision there is. */
  newest: number;
}

/** What came after revision `since`, oldest first. */
export function fetchChanges(since: number, limit = 100): Promise<ChangesAnswer> {
  return getJson(`/api/changes?since=${since}&limit=${limit}`);
}
