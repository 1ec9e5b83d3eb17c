import { describe, expect, it } from 'vitest';
import type { Feature, Field } from '../lib/api';
import { differences, moved } from './versions';

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
