import type { Map as MapLibre } from 'maplibre-gl';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TilePlace } from '../live/touched';
import { Refresher } from './refresh';

interface Tile {
  state: string;
  tileID: { canonical: TilePlace };
  isRenderable: () => boolean;
}

const tile = (x: number, state = 'loaded', drawn = true): Tile => ({
  state,
  tileID: { canonical: { z: 16, x, y: 0 } },
  isRenderable: () => drawn,
});

/** As much of a map as the refresher sees: tiles in the picture and tiles kept for the way back. */
function mapWith(inView: Tile[], kept: Tile[] = []) {
  const fetched: number[] = [];
  const listeners: Record<string, (event: object) => void> = {};
  const manager = {
    kept,
    _paused: false,
    _inViewTiles: { getAllTiles: () => inView },
    _outOfViewCache: {
      filter: (keep: (tile: Tile) => boolean) => {
        manager.kept = manager.kept.filter(keep);
      },
    },
  };
  const map = {
    style: { tileManagers: { parcels: manager } },
    on: (name: string, listener: (event: object) => void) => {
      listeners[name] = listener;
    },
    refreshTiles: (source: string, tiles?: TilePlace[]) => {
      expect(source).toBe('parcels');
      fetched.push(...(tiles?.map(({ x }) => x) ?? [-1]));
    },
  };
  const emit = (name: string, event: object = {}) => listeners[name]?.(event);
  return { map: map as unknown as MapLibre, fetched, manager, emit };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the refresher', () => {
  it('fetches the touched tiles of the picture and no other', () => {
    const { map, fetched } = mapWith([tile(1), tile(2), tile(3, 'errored', false)]);
    new Refresher(map).refresh('parcels', ({ x }) => x !== 2);
    expect(fetched).toEqual([1, 3]);
  });

  it('drops touched tiles that are kept for the way back', () => {
    const { map, manager } = mapWith([], [tile(1), tile(2)]);
    new Refresher(map).refresh('parcels', ({ x }) => x === 1);
    expect(manager.kept.map((kept) => kept.tileID.canonical.x)).toEqual([2]);
  });

  it('asks again for a tile that was on its way, once it is there: it may have brought what was', () => {
    const late = tile(1, 'loading', false);
    const { map, fetched } = mapWith([late, tile(2, 'loading', false)]);
    new Refresher(map).refresh('parcels', ({ x }) => x === 1);
    vi.advanceTimersByTime(500);
    expect(fetched).toEqual([]);
    late.state = 'loaded';
    late.isRenderable = () => true;
    vi.advanceTimersByTime(200);
    expect(fetched).toEqual([1]);
    vi.advanceTimersByTime(1000);
    expect(fetched).toEqual([1]);
  });

  it('has all tiles of a source fetched whose new address the map missed while it was paused', () => {
    const { map, fetched, manager, emit } = mapWith([tile(1)]);
    new Refresher(map);
    const changed = { sourceId: 'parcels', sourceDataType: 'content', sourceDataChanged: true };
    emit('sourcedata', changed);
    emit('render');
    expect(fetched, 'it was not paused').toEqual([]);
    manager._paused = true;
    emit('sourcedata', changed);
    emit('sourcedata', { ...changed, sourceDataChanged: false });
    emit('render');
    expect(fetched, 'it still is').toEqual([]);
    manager._paused = false;
    emit('render');
    emit('render');
    expect(fetched).toEqual([-1]);
  });

  it('gives up on a tile that left the picture, and on layers that the map does not have', () => {
    const inView = [tile(1, 'loading', false)];
    const { map, fetched } = mapWith(inView);
    const refresher = new Refresher(map);
    refresher.refresh('parcels', () => true);
    refresher.refresh('nothing', () => true);
    inView.pop();
    vi.advanceTimersByTime(1000);
    expect(fetched).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
