import { describe, expect, it } from 'vitest';
import type { LayerEvent } from '../lib/events';
import { StaleTiles } from './staletiles';
import { Touched } from './touched';

/** An event of one changed feature near Bến Thành, as the server writes it. */
function layerEvent(change: Partial<LayerEvent> = {}): LayerEvent {
  return {
    layer: 'parcels',
    mode: 'edit',
    added: 0,
    changed: 1,
    removed: 0,
    rejected: 0,
    whole: false,
    truncated: false,
    bbox: [106.698, 10.7725, 106.6981, 10.7726],
    features: [
      {
        id: '26740-1-10',
        fid: 10,
        op: 'changed',
        bbox: [106.698, 10.7725, 106.6981, 10.7726],
        before: [106.698, 10.7725, 106.6981, 10.7726],
      },
    ],
    tiles: Object.fromEntries(Array.from({ length: 19 }, (_, z) => [z, [place(z)]])),
    ...change,
  };
}

/** The tile of the place at a zoom. */
function place(z: number): [number, number] {
  const count = 2 ** z;
  const sine = Math.sin((10.77255 * Math.PI) / 180);
  return [
    Math.floor(((106.69805 + 180) / 360) * count),
    Math.floor((0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * count),
  ];
}
const at = (z: number) => ({ z, x: place(z)[0], y: place(z)[1] });

describe('touched tiles', () => {
  it('are those of the list, at every zoom, and no other', () => {
    const touched = new Touched();
    expect(touched.add(layerEvent())).toBe(true);
    for (const z of [0, 10, 16, 18]) expect(touched.has(at(z))).toBe(true);
    expect(touched.has({ ...at(16), x: at(16).x + 1 })).toBe(false);
    expect(touched.has(at(19))).toBe(false);
  });

  it('are those that meet an old or a new box where a zoom has too many to list', () => {
    const event = layerEvent();
    delete event.tiles?.[18];
    event.features[0]!.before = [106.71, 10.7725, 106.7101, 10.7726];
    const touched = new Touched();
    expect(touched.add(event)).toBe(true);
    expect(touched.has(at(18))).toBe(true);
    const moved = { z: 18, x: Math.floor(((106.71005 + 180) / 360) * 2 ** 18), y: at(18).y };
    expect(touched.has(moved)).toBe(true);
    expect(touched.has({ ...at(18), x: at(18).x + 4 }), 'between the two boxes').toBe(false);
    expect(touched.has({ ...at(17), x: at(17).x + 4 }), 'listed zooms go by their list').toBe(false);
  });

  it('are all where the event says so, or does not tell', () => {
    expect(new Touched().add(layerEvent({ whole: true, features: [], tiles: null }))).toBe(false);
    expect(new Touched().add(layerEvent({ features: [], bbox: null, tiles: null }))).toBe(false);
    const none = layerEvent({ changed: 0, features: [], bbox: null, tiles: {} });
    expect(new Touched().add(none), 'nothing was touched').toBe(true);
  });

  it('are all once the list would cost more than the layer', () => {
    const touched = new Touched();
    const many = Array.from({ length: 1000 }, (_, x) => [x, 0] as [number, number]);
    let fits = true;
    for (let round = 0; fits && round < 100; round += 1) {
      const tiles = { 18: many.map(([x]): [number, number] => [x, round]) };
      fits = touched.add(
        layerEvent({ tiles: { ...Object.fromEntries(Array.from({ length: 18 }, (_, z) => [z, []])), ...tiles } }),
      );
    }
    expect(fits).toBe(false);
  });
});

describe('the address of a tile', () => {
  const url = (z: number, x: number, y: number, rest = '') =>
    `http://city.test/tiles/parcels/${z}/${x}/${y}?rev=3-a${rest}`;
  const { z, x, y } = at(16);

  it('loses the version that would let the browser keep it, once the tile is touched, and only then', () => {
    const stale = new StaleTiles();
    expect(stale.requestUrl(url(z, x, y))).toBe(url(z, x, y));
    expect(stale.add(layerEvent())).not.toBeNull();
    expect(stale.requestUrl(url(z, x, y))).toBe(`http://city.test/tiles/parcels/${z}/${x}/${y}`);
    expect(stale.requestUrl(url(z, x, y, '&datetime=2026-01-01'))).toBe(
      `http://city.test/tiles/parcels/${z}/${x}/${y}?datetime=2026-01-01`,
    );
    expect(stale.requestUrl(url(z, x + 1, y))).toBe(url(z, x + 1, y));
    const other = `http://city.test/tiles/zones/${z}/${x}/${y}?rev=3-a`;
    expect(stale.requestUrl(other)).toBe(other);
  });

  it('keeps the version again once the layer has a new one', () => {
    const stale = new StaleTiles();
    stale.add(layerEvent());
    stale.reset('parcels');
    expect(stale.requestUrl(url(z, x, y))).toBe(url(z, x, y));
  });

  it('reports a layer that must be fetched again as a whole', () => {
    expect(new StaleTiles().add(layerEvent({ whole: true, tiles: null, features: [] }))).toBeNull();
  });
});
