import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Collection } from '../lib/api';
import { forgetStyles } from '../lib/styles';
import { Cartography } from './cartography.svelte';
import { Layers } from './layers.svelte';

const layer = (id: string, role: string, tilesVersion = '1') =>
  ({
    id,
    title: id,
    citymap: { role, geometry: 'polygon', tilesVersion, count: 1, label: 'ten' },
  }) as unknown as Collection;

/** A server that draws parcels in the first style, and zones in the plan; `asked` has its answers' paths. */
function server(asked: string[]) {
  return async (input: string | URL | Request) => {
    const url = new URL(String(input), 'http://city.test');
    asked.push(`${url.pathname}?${url.searchParams.get('collections') ?? ''}`);
    const [, , , id] = url.pathname.split('/');
    if (id === undefined) return Response.json({ styles: [{ id: 'cadastre', title: url.searchParams.get('lang') }] });
    if (id === 'nothing') return Response.json({ title: 'Not found' }, { status: 404 });
    const own = id === 'plan' ? ['communes', 'zones'] : ['communes', 'parcels'];
    const drawn = url.searchParams.get('collections')?.split(',') ?? own;
    const layers = drawn.map((name) => ({
      id: `${name}/fill`,
      type: 'fill',
      source: 'city',
      'source-layer': name,
      minzoom: name === 'parcels' ? 8 : 0,
    }));
    const names = { type: 'FeatureCollection', features: [{ properties: { _id: '26743', ten: 'Phường Bến Thành' } }] };
    const sources = { 'citymap-labels-communes': { type: 'geojson', data: names } };
    return Response.json({ version: 8, metadata: { 'citymap:style': id }, sources, layers });
  };
}

describe('the cartography', () => {
  const asked: string[] = [];
  beforeEach(() => {
    asked.length = 0;
    forgetStyles();
    vi.stubGlobal('fetch', server(asked));
  });
  afterEach(() => vi.unstubAllGlobals());

  function page() {
    const layers = new Layers();
    layers.all = [layer('parcels', 'parcel'), layer('zones', 'zone'), layer('communes', 'admin_unit')];
    const missing: string[] = [];
    const cartography = new Cartography(layers, {
      look: () => ({ theme: 'light', lang: 'vi' }),
      missing: (id) => missing.push(id),
    });
    const drawn = () => cartography.document?.layers.map(({ id }) => id);
    return { layers, cartography, missing, drawn };
  }

  it('shows the layers of the style, and asks again for those that are switched on besides', async () => {
    const { layers, cartography, drawn } = page();
    await cartography.load();
    expect(layers.visible.map(({ id }) => id)).toEqual(['parcels', 'communes']);
    expect([drawn(), cartography.loading]).toEqual([['communes/fill', 'parcels/fill'], false]);
    expect([layers.drawnFrom(layers.all[0]!), cartography.unitName('26743')]).toEqual([8, 'Phường Bến Thành']);
    layers.show(['zones'], true);
    await cartography.load();
    expect(drawn()).toEqual(['parcels/fill', 'zones/fill', 'communes/fill']);
    expect(asked).toEqual(['/api/styles/cadastre?', '/api/styles?', '/api/styles/cadastre?parcels,zones,communes']);
    layers.show(['parcels', 'zones', 'communes'], false);
    await cartography.load();
    expect(drawn(), 'what is off is hidden by the page').toEqual(['communes/fill', 'parcels/fill']);
    expect(asked, 'styles are kept').toHaveLength(3);
  });

  it('is that of a theme alone when it is chosen', async () => {
    const { layers, cartography, drawn } = page();
    await cartography.load();
    layers.show(['zones'], true);
    cartography.level = 'qhpk';
    cartography.choose('plan');
    expect([cartography.level, layers.changed]).toEqual([null, false]);
    await cartography.load();
    expect([drawn(), layers.isShown('parcels')]).toEqual([['communes/fill', 'zones/fill'], false]);
  });

  it('goes back to the first style where there is none, and says so', async () => {
    const { cartography, missing, drawn } = page();
    cartography.choose('nothing');
    await cartography.load();
    expect([missing, cartography.id, drawn()]).toEqual([['nothing'], 'cadastre', undefined]);
    await cartography.load();
    expect(drawn()).toEqual(['communes/fill', 'parcels/fill']);
  });

  it('is read again when the catalogue or a name of a commune changes, not for each edit', async () => {
    const { layers, cartography } = page();
    await cartography.load();
    layers.all = [layer('parcels', 'parcel', '2'), ...layers.all.slice(1)];
    await cartography.load();
    expect(asked).toHaveLength(2);
    layers.all = [...layers.all.slice(0, 2), layer('communes', 'admin_unit', '2')];
    await cartography.load();
    expect(asked).toHaveLength(3);
  });
});
