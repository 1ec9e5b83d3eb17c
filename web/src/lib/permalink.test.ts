import { describe, expect, it } from 'vitest';
import { type Link, readLink, writeLink } from './permalink';

describe('the address of a view', () => {
  it('comes back as it was written', () => {
    const link: Link = {
      camera: { lon: 106.698, lat: 10.7725, zoom: 16.25, bearing: 12.5 },
      style: 'plan',
      level: 'qhpk',
      on: ['reports_1022'],
      off: ['zones', 'trees'],
      order: ['zones', 'parcels'],
      opacity: { parcels: 60 },
      at: [106.6981234, 10.7725678],
      selected: { layer: 'parcels', id: '26740-12-345~7:a&b/ü' },
      revision: 8,
      valid: '2026-02-28',
      lang: 'en',
      theme: 'dark',
    };
    expect(readLink(writeLink(link))).toEqual(link);
  });

  it('leaves out what is default', () => {
    expect(writeLink({ on: [], off: [], order: [], opacity: { parcels: 100 }, lang: 'vi' })).toBe('#lang=vi');
  });

  it.each([
    '#map=x/y/z',
    '#map=14/95/106',
    '#map=',
    '#at=1',
    '#op=parcels:900,<b>:3',
    '#sel=Parcels:1',
    '#lang=xx&theme=pink',
    '#style=A%2Fb&level=qhx',
    '#off=a%20b&order=A,b%20c',
    '#rev=-1&valid=2026-02-30',
    '#rev=x&valid=today',
  ])('ignores what is no address: %s', (hash) => {
    expect(readLink(hash)).toEqual({ on: [], off: [], order: [], opacity: {} });
  });
});
