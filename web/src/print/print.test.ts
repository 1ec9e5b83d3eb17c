import { describe, expect, test } from 'vitest';
import { toVn2000 } from '../lib/vn2000';
import { corners, ground } from './print';

const papers = { A4: { portrait: [186, 206], landscape: [210, 186] } } as Record<
  string,
  Record<string, [number, number]>
>;

describe('the frame of a sheet', () => {
  test('is as large as the paper says at its scale', () => {
    const order = { paper: 'A4', orientation: 'portrait', scale: 500 };
    expect(ground(papers, order)).toEqual([93, 103]);
    expect(ground(papers, { ...order, paper: 'B5' })).toBeNull();
  });

  test('has its corners on the grid, turned with the map', () => {
    const center: [number, number] = [106.698, 10.7725];
    const order = { center, paper: 'A4', orientation: 'portrait', scale: 500 };
    const [easting, northing] = toVn2000(...center);
    const offset = (corner: [number, number]) => {
      const [e, n] = toVn2000(...corner);
      return [Math.round((e - easting) * 100) / 100, Math.round((n - northing) * 100) / 100];
    };
    expect(corners({ ...order, bearing: 0 }, [100, 40]).map(offset)).toEqual([
      [-50, 20],
      [50, 20],
      [50, -20],
      [-50, -20],
    ]);
    // East is up: the top left corner is in the north-east.
    const [topLeft] = corners({ ...order, bearing: 90 }, [100, 40]).map(offset);
    expect(topLeft).toEqual([20, 50]);
  });
});
