import { describe, expect, it } from 'vitest';
import type { Collection, GeometryKind, Role, Theme } from '../lib/api';
import { rankByClass } from '../map/roads';
import { lineWidth } from './drawing';
import { baseLayers, pictured, shownBy } from './picture';
import { place, sightOf, sightTiles } from './sight';

const CITY = { lon: 106.7, lat: 10.775, zoom: 14 };

function layer(id: string, role: Role, geometry: GeometryKind = 'polygon', theme: Theme | null = null): Collection {
  const fields = [{ name: 'cap', type: 'text', meaning: 'road_class' }];
  return { id, title: id, citymap: { role, geometry, theme, fields } } as unknown as Collection;
}

describe('the first picture', () => {
  it('is of communes, water and roads in this order, without those that are off', () => {
    const link = { on: ['quiet'], off: ['roads'], order: [], opacity: {} };
    expect(shownBy(link, layer('water', 'other'))).toBe(true);
    expect(shownBy(link, layer('roads', 'road'))).toBe(false);
    const quiet = layer('quiet', 'road');
    quiet.citymap.shown = false;
    expect([shownBy(link, quiet), shownBy({ ...link, on: [] }, quiet)]).toEqual([true, false]);
    const all = [
      layer('parcels', 'parcel'),
      layer('roads', 'road', 'line'),
      layer('water', 'other', 'polygon', 'water'),
      layer('communes', 'admin_unit'),
    ];
    expect(baseLayers(all).map(({ id }) => id)).toEqual(['communes', 'water', 'roads']);
  });

  it('shows only what an address names: not a former day, a turned map, or single parcels', () => {
    const link = { on: [], off: [], order: [], opacity: {} };
    const camera = { ...CITY, bearing: 0 };
    expect(pictured(link)).toBe(true);
    expect(pictured({ ...link, camera })).toBe(true);
    expect(pictured({ ...link, camera: { ...camera, bearing: 30 } })).toBe(false);
    expect(pictured({ ...link, camera: { ...camera, zoom: 18 } })).toBe(false);
    expect(pictured({ ...link, revision: 3 })).toBe(false);
    expect(pictured({ ...link, valid: '2020-06-30' })).toBe(false);
  });

  it('has the city in the middle of what panels leave free, as the map will have it', () => {
    const sight = sightOf(CITY, [1440, 900], { left: 392, top: 16, right: 48, bottom: 32 });
    const [x, y] = place([CITY.lon, CITY.lat], sight.world);
    expect([x - sight.origin[0], y - sight.origin[1]]).toEqual([892, 442]);
    const linked = sightOf(CITY, [1440, 900], null);
    const [left, top] = place([CITY.lon, CITY.lat], linked.world);
    expect([left - linked.origin[0], top - linked.origin[1]]).toEqual([720, 450]);
  });

  it('needs few tiles, which cover the screen', () => {
    const screens: [number, number][] = [
      [1440, 900],
      [390, 844],
    ];
    for (const size of screens) {
      const tiles = sightTiles(sightOf(CITY, size, null));
      expect(tiles.length).toBeLessThanOrEqual(4);
      expect(new Set(tiles.map(({ z }) => z))).toEqual(new Set([12]));
      expect(Math.min(...tiles.map(({ left }) => left))).toBeLessThanOrEqual(0);
      expect(Math.max(...tiles.map(({ left, size: side }) => left + side))).toBeGreaterThanOrEqual(size[0]);
      expect(Math.min(...tiles.map(({ top }) => top))).toBeLessThanOrEqual(0);
      expect(Math.max(...tiles.map(({ top, size: side }) => top + side))).toBeGreaterThanOrEqual(size[1]);
    }
    expect(sightTiles(sightOf({ ...CITY, zoom: 0 }, [1440, 900], null))).toHaveLength(1);
    const far = sightTiles(sightOf({ ...CITY, zoom: 11.5 }, [1440, 900], null));
    expect(new Set(far.map(({ z }) => z))).toEqual(new Set([11]));
  });

  it('draws roads as wide as the map does', () => {
    expect(lineWidth(0, 8)).toBeCloseTo(1.1);
    expect(lineWidth(0, 12)).toBeCloseTo(2.4);
    expect(lineWidth(4, 15)).toBeCloseTo(1.1);
    // Two thirds of the way the width has come three sevenths, because it doubles with each zoom level.
    expect(lineWidth(0, 14)).toBeCloseTo(2.4 + (6 - 2.4) * (3 / 7));
    expect(lineWidth(0, 5)).toBeCloseTo(1.1);
  });

  it('knows the rank of a road by its class', () => {
    const rank = rankByClass(layer('roads', 'road', 'line'));
    expect([rank({ cap: 'quoc_lo' }), rank({ cap: 'hem' }), rank({ cap: 'gi_do' }), rank({})]).toEqual([1, 4, 3, 3]);
    expect(rankByClass({ ...layer('r', 'road'), citymap: { fields: [] } } as unknown as Collection)({})).toBe(3);
  });
});
