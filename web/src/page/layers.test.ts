import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Collection } from '../lib/api';
import type { LayerEvent } from '../lib/events';
import { Layers } from './layers.svelte';

afterEach(() => vi.unstubAllGlobals());

const layer = (id: string, tilesVersion: string, more: object = {}) =>
  ({ id, title: id, citymap: { role: 'other', geometry: 'polygon', tilesVersion, ...more } }) as unknown as Collection;

const TILE = '/tiles/parcels/16/5/7?rev=1-a';
const TOUCHED: LayerEvent = {
  ...{ layer: 'parcels', mode: 'edit', added: 0, changed: 1, removed: 0, rejected: 0, whole: false },
  bbox: [106.7, 10.77, 106.7, 10.77],
  features: [],
  tiles: Object.fromEntries(Array.from({ length: 19 }, (_, z) => [z, z === 16 ? [[5, 7]] : []])),
};

describe('layers', () => {
  it('are read with the versions of their tiles, and none of these is stale', async () => {
    const body = { collections: [layer('parcels', '2-b'), layer('roads', '2-c')] };
    vi.stubGlobal('fetch', async () => Response.json(body, { headers: { 'citymap-revision': '2' } }));
    const layers = new Layers();
    layers.staleTiles.add(TOUCHED);
    expect(await layers.read()).toBe(2);
    expect(layers.tileVersions).toEqual({ parcels: '2-b', roads: '2-c' });
    expect(layers.staleTiles.requestUrl(TILE)).toBe(TILE);
  });

  it('are visible as the style of the map has them, unless the user has switched them', () => {
    const layers = new Layers();
    layers.all = [layer('parcels', '1'), layer('roads', '1'), layer('lights', '1')];
    expect(layers.visible, 'no style is known yet').toEqual([]);
    layers.styled = new Set(['parcels', 'roads']);
    expect(layers.visible.map(({ id }) => id)).toEqual(['parcels', 'roads']);
    layers.show(['roads'], false);
    layers.show(['lights'], true);
    expect(layers.visible.map(({ id }) => id)).toEqual(['parcels', 'lights']);
    expect([layers.switchedTo(true), layers.switchedTo(false), layers.changed]).toEqual([['lights'], ['roads'], true]);
    layers.show(['roads', 'parcels'], true);
    expect(layers.switchedTo(false), 'what the style has is no choice').toEqual([]);
    layers.reset();
    expect([layers.isShown('lights'), layers.changed]).toEqual([false, false]);
  });

  it('say why they cannot be seen: hidden, too far away, or nothing there', () => {
    const layers = new Layers();
    layers.all = [layer('houses', '1', { role: 'building' })];
    layers.styled = new Set(['houses']);
    layers.zooms = new Map([['houses', 13]]);
    layers.drawnInView = { houses: false };
    expect([layers.state('houses', 10), layers.state('houses', 14)]).toEqual(['far', 'empty']);
    layers.drawnInView = { houses: true };
    expect(layers.state('houses', 14)).toBe('drawn');
    layers.show(['houses'], false);
    expect(layers.state('houses', 10)).toBe('hidden');
  });

  it('are moved within their group, and groups among each other', () => {
    const layers = new Layers();
    const all = [
      ['parcels', 'parcel'],
      ['zones', 'zone'],
      ['houses', 'building'],
    ];
    layers.all = all.map(([id, role]) => layer(id!, '1', { role }));
    expect(layers.isRaised('zones', 'parcels')).toBe(false);
    expect(layers.moveLayer('houses', 0)).toBe(0);
    expect(layers.order).toEqual(['houses', 'parcels', 'zones']);
    expect([layers.isRaised('houses', 'parcels'), layers.isRaised('parcels', 'zones')]).toEqual([true, false]);
    expect(layers.moveLayer('houses', -1), 'it is the first already').toBeNull();
    expect(layers.moveGroup('planning', 0)).toBe(0);
    expect(layers.order).toEqual(['zones', 'houses', 'parcels']);
    expect(layers.isRaised('zones', 'parcels')).toBe(true);
    expect([layers.moveGroup('planning', 1), layers.moveLayer('houses', 1)]).toEqual([1, 1]);
    expect(layers.order, 'the order at first is none').toEqual([]);
  });

  it('request their tiles by a new version once they are renewed', () => {
    const layers = new Layers();
    layers.tileVersions = { parcels: '1-a', roads: '1-a' };
    layers.staleTiles.add(TOUCHED);
    expect(layers.staleTiles.requestUrl(TILE)).toBe('/tiles/parcels/16/5/7');
    layers.renewTiles([layer('parcels', '2-b')]);
    expect(layers.tileVersions).toEqual({ parcels: '2-b', roads: '1-a' });
    expect(layers.staleTiles.requestUrl(TILE)).toBe(TILE);
  });

  it('keep the labels on tile borders of features that did not change', () => {
    const layers = new Layers();
    const ring = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ];
    const part = (id: number) => ({ id, geometry: { type: 'Polygon' as const, coordinates: [ring] }, properties: {} });
    layers.addSeams('parcels', [part(1), part(1), part(2), part(2), part(3)]);
    expect([...(layers.seams.parcels?.keys() ?? [])]).toEqual([1, 2]);
    layers.dropSeams('parcels', [2]);
    expect([...(layers.seams.parcels?.keys() ?? [])]).toEqual([1]);
    layers.dropSeams('parcels', null);
    expect(layers.seams.parcels?.size).toBe(0);
  });
});
