/** The HTTP interface of the made-up city. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import GeoJsonVt from 'geojson-vt';
import type { Connect, Plugin } from 'vite';
import vtpbf from 'vt-pbf';
import { innerPoint } from '../../src/lib/geometry';
import { type MockLayer, makeCity } from './city';
import { CITY } from './profile';
import { MOCK_TOKEN, MockRecord, type Numbered, tag } from './record';
import { mockLegend, mockStyle, STYLES } from './style';

/**
 * The made-up city as a plug-in of Vite's servers. Distances are rough and nothing is fast: it only has to be true to
 * the interface.
 */
export function mockCity(): Plugin {
  const record = new MockRecord(makeCity());
  const use = (server: { middlewares: Connect.Server }) => {
    server.middlewares.use((request, response, next) => {
      if (!answer(record, request, response)) next();
    });
  };
  return { name: 'citymap-mock', configureServer: use, configurePreviewServer: use };
}

/** Tiles are cut from an index, which each state of a layer has of its own. */
const indices = new WeakMap<MockLayer, GeoJsonVt>();

function indexOf(layer: MockLayer): GeoJsonVt {
  const known = indices.get(layer);
  if (known) return known;
  const features = (layer.features as Numbered[]).map(({ fid, ...feature }) => ({
    ...feature,
    id: fid,
    properties: { ...feature.properties, _id: feature.id },
  }));
  const made = new GeoJsonVt(
    { type: 'FeatureCollection', features },
    { maxZoom: 18, indexMaxZoom: 14, tolerance: 1, buffer: 64 },
  );
  indices.set(layer, made);
  return made;
}

function answer(record: MockRecord, request: IncomingMessage, response: ServerResponse): boolean {
  const url = new URL(request.url ?? '/', 'http://mock');
  const query = url.searchParams;
  const path = decodeURIComponent(url.pathname);
  const asked = query.get('revision');
  // A day is its end; all of the made-up past but the import is of today.
  const revision = asked === null ? record.newest : asked.includes('-') ? 1 : Number(asked);
  const city = record.states[revision];
  const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => {
    const shown = String(city ? revision : record.newest);
    response.writeHead(status, { 'content-type': 'application/json', 'citymap-revision': shown, ...headers });
    response.end(JSON.stringify(body));
    return true;
  };
  if (!city) return json({ title: 'Bad request', detail: `there is no revision ${asked}` }, 400);
  const tile = /^\/tiles\/([\w,]+)\/(\d+)\/(\d+)\/(\d+)$/.exec(path);
  if (tile) {
    const named = (tile[1] ?? '').split(',').flatMap((id) => city.filter(({ collection }) => collection.id === id));
    const found = named.flatMap((layer) => {
      const part = indexOf(layer).getTile(Number(tile[2]), Number(tile[3]), Number(tile[4]));
      return part ? [[layer.collection.id, part] as const] : [];
    });
    const versions = named.map(({ collection }) => collection.citymap.tilesVersion);
    const lasting = query.get('rev') === versions.join('.');
    response.writeHead(found.length > 0 ? 200 : 204, {
      'content-type': 'application/vnd.mapbox-vector-tile',
      'cache-control': lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
    response.end(found.length > 0 ? vtpbf.fromGeojsonVt(Object.fromEntries(found), { version: 2 }) : undefined);
    return true;
  }
  if (/^\/(fonts|sprites|styles)\//.test(path)) {
    try {
      response.end(readFileSync(new URL(`../../../tiles${path}`, import.meta.url)));
    } catch {
      // As the server has it: a range without glyphs is empty.
      response.writeHead(path.startsWith('/fonts/') ? 200 : 404).end();
    }
    return true;
  }
  if (path.startsWith('/health/')) return json({ status: 'ready' });
  if (path === '/api/events') {
    record.listen(response, Number(request.headers['last-event-id'] ?? query.get('since') ?? record.newest));
    return true;
  }
  if (path === '/api/changes') {
    const since = Number(query.get('since') ?? 0);
    const revisions = record.revisions.slice(since, since + Number(query.get('limit') ?? 100));
    return json({ revisions, newest: record.newest });
  }
  if (path === '/api') return json({ citymap: { city: CITY } });
  if (path === '/api/collections') return json({ collections: city.map((layer) => layer.collection) });
  if (path === '/api/styles') return json({ styles: STYLES });
  const style = /^\/api\/styles\/(\w+)(\/legend)?$/.exec(path);
  if (style) {
    const [, id = '', legend] = style;
    const layers = city.map(({ collection }) => collection);
    const named = query.get('collections');
    if (!STYLES.some((own) => own.id === id)) return json({ title: 'Not found' }, 404);
    return json(legend ? { groups: mockLegend(layers, id, named) } : mockStyle(layers, id, named));
  }
  const one = /^\/api\/collections\/(\w+)$/.exec(path);
  if (one) {
    const layer = city.find(({ collection }) => collection.id === one[1]);
    return layer ? json(layer.collection) : json({ title: 'Not found' }, 404);
  }
  const history = /^\/api\/collections\/(\w+)\/items\/(.+)\/history$/.exec(path);
  if (history) {
    const versions = record.history(history[1] ?? '', history[2] ?? '');
    const until = (index: number) => versions[index - 1]?.from ?? null;
    return json({ id: history[2], versions: versions.map((own, index) => ({ ...own, until: until(index) })) });
  }
  const items = /^\/api\/collections\/(\w+)\/items(?:\/(.+))?$/.exec(path);
  if (items) {
    const layer = city.find((candidate) => candidate.collection.id === items[1]);
    const features = (layer?.features ?? []) as Numbered[];
    const feature = features.find((candidate) => String(candidate.id) === items[2]) ?? null;
    if (layer && request.method !== 'GET') {
      void write(record, layer, feature, request, json);
      return true;
    }
    if (!items[2])
      return json({
        type: 'FeatureCollection',
        features: layer?.features.slice(0, Number(query.get('limit') ?? 10)) ?? [],
      });
    return feature ? json(feature, 200, { etag: tag(feature) }) : json({ title: 'Not found' }, 404);
  }
  if (path === '/api/at') {
    const point: [number, number] = [Number(query.get('lon')), Number(query.get('lat'))];
    return json({
      point: { lon: point[0], lat: point[1] },
      revision,
      layers: city.map((layer) => at(layer, point)),
    });
  }
  if (/^\/api\/parcels\/.+\/report$/.test(path)) {
    // The made-up quarter has no plans and no widths of rights-of-way.
    const plans = {
      status: 'no_data',
      sliverTolerance: 0.5,
      pieces: [],
      uncovered: 0,
      uncoveredShare: 1,
      overlapping: 0,
    };
    const areas = { grid: 100, ellipsoidal: 100, certificate: null, difference: null };
    return json({ revision, areas, plans, rightOfWay: { status: 'no_data', roads: [], cut: 0, remaining: 100 } });
  }
  if (path === '/api/within') {
    void bodyOf(request).then((body) => {
      const area = JSON.parse(body) as GeoJSON.Polygon;
      json({ revision, area: square(14_400), layers: city.map((layer) => within(layer, area)) });
    });
    return true;
  }
  if (path === '/api/search') return json({ query: query.get('q'), results: search(city, query.get('q') ?? '') });
  return false;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** An edit, as the server takes it. */
async function write(
  record: MockRecord,
  layer: MockLayer,
  before: Numbered | null,
  request: IncomingMessage,
  json: (body: unknown, status?: number, headers?: Record<string, string>) => boolean,
): Promise<boolean> {
  const text = await bodyOf(request);
  const { authorization, 'if-match': seen, 'citymap-message': message } = request.headers;
  if (authorization !== `Bearer ${MOCK_TOKEN}`) return json({ title: 'Unauthorized', detail: 'unknown token' }, 401);
  const why = decodeURIComponent(String(message ?? ''));
  const { id } = layer.collection;
  const sent = (text ? JSON.parse(text) : {}) as { geometry?: GeoJSON.Geometry; properties?: Record<string, unknown> };
  const faults = Object.entries(sent.properties ?? {}).flatMap(([name, value]) =>
    value === 'XXX' ? [{ pointer: `/properties/${name}`, reason: 'XXX is no value of this field' }] : [],
  );
  if (faults.length > 0) return json({ title: 'Unprocessable', detail: 'see faults', faults }, 422);
  const done = (revision: number, status: number, feature: Numbered | null, headers = {}) =>
    json(feature ? { id: feature.id, fid: feature.fid, revision } : {}, status, {
      'citymap-revision': String(revision),
      ...(feature ? { etag: tag(feature) } : {}),
      ...headers,
    });
  if (request.method === 'POST') {
    // Above all that the import gave, and new with each revision.
    const fid = 1_000_000 + record.newest;
    const key = layer.collection.citymap.key;
    const own = key && sent.properties?.[key] ? String(sent.properties[key]) : fid;
    const geometry = sent.geometry ?? { type: 'Point' as const, coordinates: [0, 0] };
    const feature: Numbered = { type: 'Feature', id: own, fid, geometry, properties: sent.properties ?? {} };
    const location = `/api/collections/${id}/items/${encodeURIComponent(String(own))}`;
    return done(record.commit(id, null, feature, why), 201, feature, { location });
  }
  if (!before) return json({ title: 'Not found' }, 404);
  if (!seen) return json({ title: 'Precondition required' }, 428);
  if (seen !== tag(before)) return json({ title: 'Precondition failed' }, 412);
  if (request.method === 'DELETE') return done(record.commit(id, before, null, why), 200, null);
  const properties = { ...before.properties, ...sent.properties };
  const after = { ...before, geometry: sent.geometry ?? before.geometry, properties };
  return done(record.commit(id, before, after, why), 200, after);
}

const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').replace(/đ/gi, 'd').toLowerCase();

function search(city: MockLayer[], text: string) {
  // Communes first, as the server orders them.
  const order = [...city].sort(
    (a, b) => Number(b.collection.citymap.role === 'admin_unit') - Number(a.collection.citymap.role === 'admin_unit'),
  );
  return order.flatMap(({ collection, features }) => {
    const { label, role } = collection.citymap;
    if (!label || !['admin_unit', 'road', 'address', 'parcel'].includes(role)) return [];
    return features
      .filter((feature) => fold(String(feature.properties?.[label])).includes(fold(text)))
      .slice(0, 4)
      .map((feature) => {
        const ring = JSON.stringify(feature.geometry)
          .match(/-?\d+\.\d+/g)!
          .map(Number);
        const [lons, lats] = [ring.filter((_, i) => i % 2 === 0), ring.filter((_, i) => i % 2 === 1)];
        const bbox = [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
        return {
          kind: role,
          layer: collection.id,
          id: feature.id,
          label: String(feature.properties?.[label]),
          detail: 'Thành phố Hồ Chí Minh',
          lon: ((bbox[0] ?? 0) + (bbox[2] ?? 0)) / 2,
          lat: ((bbox[1] ?? 0) + (bbox[3] ?? 0)) / 2,
          bbox,
          precision: 'area',
          score: 1,
        };
      });
  });
}

const square = (value: number) => ({ value, unit: 'm²', method: 'grid', crs: 'EPSG:9210' });

/** What has its inner point in the area; sizes are made up. */
function within({ collection, features }: MockLayer, area: GeoJSON.Polygon) {
  const found = features.filter((feature) => {
    const point = innerPoint(feature.geometry);
    return point && inRing(area.coordinates[0] ?? [], point);
  });
  const { titles, role, geometry } = collection.citymap;
  return {
    layer: collection.id,
    titles,
    role,
    count: found.length,
    whole: Math.floor(found.length * 0.8),
    contacts: 0,
    ...(geometry === 'polygon' ? { area: square(found.length * 145.6) } : {}),
  };
}

function inRing(ring: GeoJSON.Position[], [x, y]: [number, number]): boolean {
  let odd = false;
  ring.forEach(([bx = 0, by = 0], index) => {
    const [ax = 0, ay = 0] = ring[index - 1] ?? ring.at(-1) ?? [];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) odd = !odd;
  });
  return odd;
}

function at({ collection, features }: MockLayer, [x, y]: [number, number]) {
  const hits = features.filter((feature) => {
    const shape = feature.geometry;
    if (shape.type === 'Polygon') return inRing(shape.coordinates[0] ?? [], [x, y]);
    if (shape.type === 'Point')
      return Math.hypot((shape.coordinates[0] ?? 0) - x, (shape.coordinates[1] ?? 0) - y) * 110_000 < 4;
    return false;
  });
  return {
    layer: collection.id,
    titles: collection.citymap.titles,
    role: collection.citymap.role,
    truncated: false,
    features: hits.map((feature) => ({
      ...feature,
      distance: 0,
      label: collection.citymap.label ? String(feature.properties?.[collection.citymap.label]) : null,
      ...(feature.geometry.type === 'Polygon' ? { area: square(145.6) } : {}),
    })),
  };
}
