import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchAt, fetchCollections, fetchItem, tileUrl } from './api';
import { minRevisionHeaders, requestTime, withTime } from './requesttime';

afterEach(() => {
  vi.unstubAllGlobals();
  Object.assign(requestTime, { revision: null, datetime: null, minRevision: 0 });
});

describe('the time of all questions', () => {
  it('is nothing in an address of the present', () => {
    expect(withTime('/api/at?lon=1', true)).toBe('/api/at?lon=1');
  });

  it('is the record’s revision for all, and the day of validity for those that know of it', () => {
    requestTime.revision = 8;
    requestTime.datetime = '2026-01-31';
    expect(withTime('/api/collections')).toBe('/api/collections?revision=8');
    expect(withTime('/api/at?lon=1', true)).toBe('/api/at?lon=1&revision=8&datetime=2026-01-31');
  });

  it('makes lagging servers wait in the present only', () => {
    requestTime.minRevision = 12;
    expect(minRevisionHeaders()).toEqual({ 'citymap-min-revision': '12' });
    requestTime.revision = 8;
    expect(minRevisionHeaders()).toEqual({});
  });

  it('is in every question that the page asks', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (path: string) => {
      asked.push(path);
      return new Response('{"collections":[]}', { headers: { 'citymap-revision': '8' } });
    });
    requestTime.revision = 8;
    requestTime.datetime = '2026-01-31';
    expect((await fetchCollections()).revision).toBe(8);
    await fetchAt(106.7, 10.77, 3);
    await fetchItem('parcels', '1');
    const citymap = { tilesVersion: '8-a' };
    asked.push(tileUrl({ id: 'parcels', title: '', citymap } as unknown as Parameters<typeof tileUrl>[0]));
    expect(asked.every((path) => path.includes('revision=8'))).toBe(true);
    expect(asked.map((path) => path.includes('datetime=2026-01-31'))).toEqual([false, true, false, true]);
  });
});
