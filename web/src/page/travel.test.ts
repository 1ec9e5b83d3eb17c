import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { requestTime } from '../lib/requesttime';
import { Travel, type TravelPort } from './travel.svelte';

const NEWEST = 9;

beforeEach(() => {
  vi.stubGlobal('fetch', async (path: string) => {
    const headers = { 'citymap-revision': path.includes('revision=2026-01-31') ? '4' : String(NEWEST) };
    if (path.startsWith('/api/changes')) {
      const since = Number(new URL(path, 'http://city').searchParams.get('since'));
      const revision = { revision: since + 1, time: '2026-01-31T08:00:00Z', message: 'import', layers: [] };
      return Response.json({ revisions: [revision], newest: NEWEST });
    }
    if (path.includes('revision=404')) return Response.json({ title: 'no such time' }, { status: 404 });
    return Response.json({ collections: [] }, { headers });
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  Object.assign(requestTime, { revision: null, datetime: null, minRevision: 0 });
});

function setUp(port: Partial<TravelPort> = {}) {
  const log: string[] = [];
  const travel = new Travel({
    blocked: () => false,
    readLayers: async () => {
      log.push(`read ${requestTime.revision ?? 'present'}`);
      return requestTime.revision ?? NEWEST;
    },
    follow: (revision) => log.push(`follow ${revision}`),
    arrived: async () => {
      log.push('arrived');
    },
    failed: () => log.push('failed'),
    ...port,
  });
  return { travel, log };
}

describe('travelling through time', () => {
  it('shows a former state with its time, and of it what was valid on a day', async () => {
    const { travel, log } = setUp();
    await travel.go(4, '2026-01-01');
    expect(travel.moment).toEqual({ day: null, revision: 4, time: '2026-01-31T08:00:00Z', message: 'import' });
    expect([travel.validOn, requestTime.revision, requestTime.datetime]).toEqual(['2026-01-01', 4, '2026-01-01']);
    expect(log).toEqual(['read 4', 'arrived']);
  });

  it('takes a day for its last revision, and the newest revision for the present', async () => {
    const { travel, log } = setUp();
    await travel.go('2026-01-31', null);
    expect(travel.moment?.revision).toBe(4);
    await travel.go(NEWEST, null);
    expect(travel.moment).toBeNull();
    expect(log).toEqual(['read 4', 'arrived', 'read present', `follow ${NEWEST}`, 'arrived']);
  });

  it('stays where it is if the time cannot be shown, or if unsaved work forbids to leave', async () => {
    const failing = setUp({ readLayers: () => Promise.reject(new Error('no such time')) });
    await failing.travel.go(4, null);
    expect([failing.travel.moment, requestTime.revision, failing.travel.busy]).toEqual([null, null, false]);
    expect(failing.log).toEqual(['failed']);
    const blocked = setUp({ blocked: () => true });
    await blocked.travel.go(4, null);
    expect(blocked.log).toEqual([]);
  });

  it('starts at the present if the time of the address is refused', async () => {
    let first = true;
    const { travel, log } = setUp({
      readLayers: async () => {
        if (first) {
          first = false;
          return (await (await import('../lib/api')).fetchCollections()).revision;
        }
        return NEWEST;
      },
    });
    await travel.start({ on: [], off: [], order: [], opacity: {}, revision: 404 });
    expect(travel.moment).toBeNull();
    expect(log).toEqual(['failed', `follow ${NEWEST}`]);
  });
});
