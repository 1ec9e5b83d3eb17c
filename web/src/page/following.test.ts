import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Collection } from '../lib/api';
import type { LayerEvent, RevisionEvent } from '../lib/events';
import { requestTime } from '../lib/requesttime';
import { Following, type FollowingPort } from './following';
import { Layers } from './layers.svelte';

const layer = (id: string, tilesVersion: string) =>
  ({ id, title: id, citymap: { role: 'other', geometry: 'polygon', tilesVersion } }) as unknown as Collection;

/** A stream that the test itself feeds. */
class FakeStream extends EventTarget {
  static last: FakeStream;
  readyState = 1;
  constructor(readonly url: string) {
    super();
    FakeStream.last = this;
  }
  close(): void {}
  send(event: RevisionEvent): void {
    this.dispatchEvent(Object.assign(new Event('revision'), { data: JSON.stringify(event) }));
  }
}

const edit = (revision: number, change: Partial<LayerEvent>): RevisionEvent => ({
  revision,
  time: '2026-01-01T00:00:00Z',
  message: '',
  layers: [
    {
      ...{ layer: 'parcels', mode: 'edit', added: 0, changed: 1, removed: 0, rejected: 0, whole: false },
      bbox: [106.7, 10.77, 106.7, 10.77],
      features: [{ id: '12', fid: 7, op: 'changed', bbox: [106.7, 10.77, 106.7, 10.77] }],
      tiles: Object.fromEntries(Array.from({ length: 19 }, (_, z) => [z, []])),
      ...change,
    },
  ],
});

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', FakeStream);
  vi.stubGlobal('document', { hidden: false });
  vi.stubGlobal('fetch', async (path: string) => {
    if (path.startsWith('/api/collections/')) return Response.json(layer('parcels', '9-new'));
    return Response.json({ collections: [layer('parcels', '9-new')] }, { headers: { 'citymap-revision': '9' } });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  Object.assign(requestTime, { revision: null, datetime: null, minRevision: 0 });
});

function setUp(port: Partial<FollowingPort> = {}) {
  const log: string[] = [];
  const layers = new Layers();
  layers.all = [layer('parcels', '5-old')];
  layers.tileVersions = { parcels: '5-old' };
  const following = new Following(layers, {
    setReachable: (yes) => log.push(yes ? 'reachable' : 'away'),
    announce: (changed) => log.push(`announce ${changed ?? 'all'}`),
    shown: () => ({ at: null, features: [] }),
    changed: (answer) => log.push(`changed${answer ? ' with the answer' : ''}`),
    ...port,
  });
  following.redraw = (id) => log.push(`redraw ${id}`);
  following.start(5);
  return { following, layers, log };
}

describe('following the changes', () => {
  it('redraws touched tiles at once, and updates the page a little later', async () => {
    const { layers, log } = setUp();
    await vi.advanceTimersByTimeAsync(1000);
    FakeStream.last.send(edit(6, {}));
    expect(log).toEqual(['redraw parcels']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(log).toEqual(['redraw parcels', 'announce parcels', 'changed']);
    expect(layers.tileVersions.parcels, 'untouched tiles stay in the cache').toBe('5-old');
    expect(requestTime.minRevision).toBe(6);
  });

  it('asks again what is shown of a changed feature', async () => {
    const { log } = setUp({ shown: () => ({ at: null, features: [{ layer: 'parcels', id: '12' }] }) });
    FakeStream.last.send(edit(6, {}));
    await vi.advanceTimersByTimeAsync(1000);
    expect(log.at(-1)).toBe('changed with the answer');
  });

  it('requests all tiles of a layer that changed as a whole by its new version', async () => {
    const { layers, log } = setUp();
    FakeStream.last.send(edit(6, { whole: true, tiles: null, features: [] }));
    await vi.advanceTimersByTimeAsync(1000);
    expect(layers.tileVersions.parcels).toBe('9-new');
    expect(log).toEqual(['announce parcels', 'changed with the answer']);
  });

  it('announces the same layers once for edits that follow each other', async () => {
    const { log } = setUp();
    for (const revision of [6, 7, 8]) {
      FakeStream.last.send(edit(revision, {}));
      await vi.advanceTimersByTimeAsync(1500);
    }
    expect(log.filter((line) => line.startsWith('announce'))).toEqual(['announce parcels']);
  });

  it('changes nothing of a former state', async () => {
    const { log } = setUp();
    requestTime.revision = 3;
    FakeStream.last.send(edit(6, {}));
    await vi.advanceTimersByTimeAsync(2000);
    expect(log).toEqual([]);
  });
});
