/** The history of the made-up city: its revisions, and the stream of its changes. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { FeatureEvent, RevisionEvent } from '../../src/lib/events';
import { boundsOf } from '../../src/lib/geometry';
import type { MockLayer } from './city';

/** The token that may write to the made-up city. */
export const MOCK_TOKEN = 'mock-token-0123456789';

/** A feature with its number, which never changes. */
export type Numbered = GeoJSON.Feature & { fid: number };

/** A version of a feature. */
interface MockVersion {
  from: number;
  fromTime: string;
  op: FeatureEvent['op'] | 'present';
  feature: Numbered | null;
}

/** The made-up city's data: each edit is a revision, all former states are kept, and listeners are notified. */
export class MockRecord {
  /** The city after each revision; layers that did not change are shared. */
  readonly states: MockLayer[][];
  readonly revisions: RevisionEvent[] = [];
  readonly #listeners = new Set<ServerResponse>();

  constructor(city: MockLayer[]) {
    for (const { features } of city)
      for (const [index, feature] of features.entries()) Object.assign(feature, { fid: index + 1 });
    this.states = [[], city];
    this.revisions.push({
      revision: 1,
      time: '2026-01-02T03:04:05Z',
      message: 'Nạp dữ liệu giả lập',
      source: null,
      layers: city.map(({ collection, features }) => ({
        ...counts(collection.id, 'replace', features.length, 0, 0),
        whole: true,
        bbox: null,
        features: [],
        tiles: null,
      })),
    });
  }

  get newest(): number {
    return this.states.length - 1;
  }

  /** Keeps `response` open, and writes to it every revision after `after`. */
  listen(response: ServerResponse, after: number): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.write(`retry: 2000\n: mock\n\n`);
    for (const event of this.revisions.slice(after)) response.write(line(event));
    this.#listeners.add(response);
    response.on('close', () => this.#listeners.delete(response));
  }

  /** Replaces `before` by `after` (either may be null) and returns the new revision. */
  commit(layer: string, before: Numbered | null, after: Numbered | null, message: string): number {
    const revision = this.newest + 1;
    const op = before && after ? 'changed' : after ? 'added' : 'removed';
    const boxes = [before, after].map((feature) => (feature ? boundsOf(feature.geometry) : null));
    const [old, now] = boxes;
    const present = this.states[this.newest] ?? [];
    const next = present.map((own): MockLayer => {
      if (own.collection.id !== layer) return own;
      const features = own.features.filter((feature) => feature !== before);
      if (after) features.push(after);
      const citymap = {
        ...own.collection.citymap,
        revision,
        count: features.length,
        tilesVersion: `${revision}-mock`,
      };
      return { features, collection: { ...own.collection, citymap } };
    });
    this.states.push(next);
    const feature: FeatureEvent = {
      id: (after ?? before)?.id ?? 0,
      fid: (after ?? before)?.fid ?? 0,
      op,
      bbox: now ?? null,
      before: old ?? null,
    };
    const event: RevisionEvent = {
      revision,
      time: new Date().toISOString(),
      message,
      source: null,
      layers: [
        {
          ...counts(layer, 'edit', Number(op === 'added'), Number(op === 'changed'), Number(op === 'removed')),
          whole: false,
          bbox: now ?? old ?? null,
          features: [feature],
          tiles: tiles(boxes.filter((box) => box !== null && box !== undefined)),
        },
      ],
    };
    this.revisions.push(event);
    for (const listener of this.#listeners) listener.write(line(event));
    return revision;
  }

  /** The versions of a feature, newest first. */
  history(layer: string, id: string): MockVersion[] {
    const versions: MockVersion[] = [];
    this.states.forEach((state, revision) => {
      const features = (state.find(({ collection }) => collection.id === layer)?.features ?? []) as Numbered[];
      const feature = features.find((candidate) => String(candidate.id) === id) ?? null;
      const last = versions.at(-1)?.feature ?? null;
      if (feature === last) return;
      const op = last && feature ? 'changed' : feature ? 'added' : 'removed';
      versions.push({ from: revision, fromTime: this.revisions[revision - 1]?.time ?? '', op, feature });
    });
    return versions.reverse();
  }
}

/** The tag of a feature's state. */
export const tag = (feature: GeoJSON.Feature) =>
  `"${createHash('sha256').update(JSON.stringify(feature)).digest('hex').slice(0, 16)}"`;

const line = (event: RevisionEvent) => `id: ${event.revision}\nevent: revision\ndata: ${JSON.stringify(event)}\n\n`;

const counts = (layer: string, mode: string, added: number, changed: number, removed: number) => ({
  layer,
  mode,
  added,
  changed,
  removed,
  rejected: 0,
  truncated: false,
});

/** The tiles that meet any of the boxes, zoom by zoom. */
function tiles(boxes: [number, number, number, number][]): Record<string, [number, number][]> {
  const found: Record<string, [number, number][]> = {};
  for (let z = 0; z <= 18; z += 1) {
    const count = 2 ** z;
    const column = (lon: number) => ((lon + 180) / 360) * count;
    const row = (lat: number) => {
      const sine = Math.sin((lat * Math.PI) / 180);
      return (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * count;
    };
    const keys = new Set<string>();
    for (const [west, south, east, north] of boxes) {
      for (let x = Math.floor(column(west) - 1 / 64); x <= column(east) + 1 / 64; x += 1)
        for (let y = Math.floor(row(north) - 1 / 64); y <= row(south) + 1 / 64; y += 1) keys.add(`${x},${y}`);
    }
    found[z] = [...keys].map((text) => text.split(',').map(Number) as [number, number]);
  }
  return found;
}
