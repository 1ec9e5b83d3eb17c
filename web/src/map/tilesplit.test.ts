import { VectorTile } from '@mapbox/vector-tile';
import GeoJSONVT from 'geojson-vt';
import { PbfReader } from 'pbf';
import { describe, expect, it } from 'vitest';
import vtpbf from 'vt-pbf';
import { TileSplitter } from './tilesplit';

/** A vector tile of the world with a point in each layer. */
function tile(names: string[]): Uint8Array {
  const point = (name: string): GeoJSON.FeatureCollection => ({
    type: 'FeatureCollection',
    features: [{ type: 'Feature', geometry: { type: 'Point', coordinates: [106, 10] }, properties: { name } }],
  });
  const layers = names.map((name) => [name, new GeoJSONVT(point(name)).getTile(0, 0, 0)!] as const);
  return new Uint8Array(vtpbf.fromGeojsonVt(Object.fromEntries(layers), { version: 2 }));
}

describe('a tile that arrives in pieces', () => {
  const whole = tile(['communes', 'roads', 'parcels']);

  it('is split into tiles of one layer, wherever it is cut', () => {
    for (const size of [1, 7, 64, whole.length]) {
      const splitter = new TileSplitter();
      const layers = [];
      for (let at = 0; at < whole.length; at += size) layers.push(...splitter.push(whole.subarray(at, at + size)));
      splitter.end();
      expect(layers.map(({ name }) => name)).toEqual(['communes', 'roads', 'parcels']);
      for (const { name, bytes } of layers) {
        const own = new VectorTile(new PbfReader(bytes)).layers;
        expect(Object.keys(own)).toEqual([name]);
        expect(own[name]!.feature(0).properties).toEqual({ name });
      }
    }
  });

  it('gives a layer as soon as its last byte is there', () => {
    const first = tile(['communes']).length;
    const splitter = new TileSplitter();
    expect(splitter.push(whole.subarray(0, first - 1))).toEqual([]);
    expect(splitter.push(whole.subarray(first - 1, first)).map(({ name }) => name)).toEqual(['communes']);
  });

  it('is refused if it is cut off or no tile at all', () => {
    const cut = new TileSplitter();
    cut.push(whole.subarray(0, whole.length - 1));
    expect(() => cut.end()).toThrow('middle of a layer');
    expect(() => new TileSplitter().push(new TextEncoder().encode('<html>'))).toThrow('field key 60');
    expect(() => new TileSplitter().push(new Uint8Array([0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f]))).toThrow('too long');
    expect(() => new TileSplitter().push(new Uint8Array([0x1a, 2, 0x78, 2]))).toThrow('no name');
  });
});
