import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Feature, Field } from '../lib/api';
import { differences, fetchVersions, moved } from './versions';

afterEach(() => vi.unstubAllGlobals());

const FIELDS: Field[] = [
  { name: 'a', type: 'text' },
  { name: 'b', type: 'real' },
  { name: 'c', type: 'text' },
];
const feature = (properties: Record<string, unknown>, x = 106.7): Feature => ({
  type: 'Feature',
  id: '1',
  geometry: { type: 'Point', coordinates: [x, 10.77] },
  properties,
});

describe('the differences of two versions', () => {
  it('are the values that differ, in the order of the fields', () => {
    const found = differences(feature({ c: 'x', b: 1, a: 'p' }), feature({ a: 'q', b: 1, c: 'y' }), FIELDS);
    expect(found.map(({ field, before, after }) => [field.name, before, after])).toEqual([
      ['a', 'p', 'q'],
      ['c', 'x', 'y'],
    ]);
  });

  it('are none between empty and missing, and all from nothing', () => {
    expect(differences(feature({ a: null, b: 0 }), feature({ a: '', b: 0 }), FIELDS)).toEqual([]);
    expect(differences(null, feature({ a: 'p', b: 0 }), FIELDS).map(({ field }) => field.name)).toEqual(['a', 'b']);
  });

  it('tell whether the shape is another', () => {
    expect(moved(feature({}), feature({ a: 'p' }))).toBe(false);
    expect(moved(feature({}), feature({}, 106.8))).toBe(true);
    expect(moved(null, feature({}))).toBe(true);
  });
});

describe('the versions of a feature', () => {
  it.each([
    [null, undefined],
    ['a-token-of-16-letters', 'Bearer a-token-of-16-letters'],
  ])('are asked for with the token that there is: %s', async (token, header) => {
    const asked = vi.fn(async (_path: string, _init: RequestInit) => Response.json({ id: 1, versions: [] }));
    vi.stubGlobal('fetch', asked);
    vi.stubGlobal('sessionStorage', { getItem: () => token });
    await fetchVersions('parcels', '1');
    expect(new Headers(asked.mock.calls[0]?.[1].headers).get('authorization') ?? undefined).toBe(header);
  });
});
