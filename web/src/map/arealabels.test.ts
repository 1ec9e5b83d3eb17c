import { describe, expect, it } from 'vitest';
import { tilesOver } from './arealabels';

describe('the far tiles that labels come from', () => {
  it('cover the city and its islands with few requests', () => {
    const tiles = tilesOver([106.2, 8.5, 107.6, 11.5]);
    expect(tiles.length).toBeLessThanOrEqual(4);
    expect(tiles.length).toBeGreaterThan(1);
  });
  it('come no nearer than z10 for a small town', () => {
    expect(tilesOver([106.69, 10.77, 106.7, 10.78])).toEqual([[10, 815, 481]]);
  });
  it('end with the world', () => {
    expect(tilesOver([-180, -85, 180, 85])[0]?.[0]).toBeLessThanOrEqual(1);
  });
});
