import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import GeoJsonVt from 'geojson-vt';
import type { Connect, Plugin } from 'vite';
import vtpbf from 'vt-pbf';
import { innerPoint } from '../../src/lib/inner';
import { type MockLayer, makeCity } from './city';

/** The made-up city as a plug-in of Vite's servers. Distances are rough and nothing is fast: it only has to be true to the interface. */
export function mockCity(): Plugin {
  const city = makeCity();
  const indices = new Map(
    city.map((layer) => [
      layer.collection.id,
      new GeoJsonVt(
        {
          type: 'FeatureCollection',
          features: layer.features.map((feature, index) => ({
            ...feature,
            id: index + 1,
            properties: { ...feature.properties, _id: feature.id },
          })),
        },
        { maxZoom: 18, indexMaxZoom: 14, tolerance: 1, buffer: 64 },
      ),
    ]),
  );
  const use = (server: { middlewares: Connect.Server }) => {
    server.middlewares.use((request, response, next) => {
      if (!answer(city, indices, request, response)) next();
    });
  };
  return { name: 'citymap-mock', configureServer: use, configurePreviewServer: use };
}

function answer(
  city: MockLayer[],
  indices: Map<string, GeoJsonVt>,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const url = new URL(request.url ?? '/', 'http://mock');
  const query = url.searchParams;
  const path = decodeURIComponent(url.pathname);
  const json = (body: unknown, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json', 'citymap-revision': '1' });
    response.end(JSON.stringify(body));
    return true;
  };
  const tile = /^\/tiles\/(\w+)\/(\d+)\/(\d+)\/(\d+)$/.exec(path);
  if (tile) {
    const found = indices.get(tile[1] ?? '')?.getTile(Number(tile[2]), Number(tile[3]), Number(tile[4]));
    response.writeHead(found ? 200 : 204, { 'content-type': 'application/vnd.mapbox-vector-tile' });
    response.end(found ? vtpbf.fromGeojsonVt({ [tile[1] ?? '']: found }, { version: 2 }) : undefined);
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
  if (path === '/api/collections') return json({ collections: city.map((layer) => layer.collection) });
  const items = /^\/api\/collections\/(\w+)\/items(?:\/(.+))?$/.exec(path);
  if (items) {
    const layer = city.find((candidate) => candidate.collection.id === items[1]);
    if (!items[2])
      return json({
        type: 'FeatureCollection',
        features: layer?.features.slice(0, Number(query.get('limit') ?? 10)) ?? [],
      });
    const feature = layer?.features.find((candidate) => String(candidate.id) === items[2]);
    return feature ? json(feature) : json({ title: 'Not found' }, 404);
  }
  if (path === '/api/at') {
    const point: [number, number] = [Number(query.get('lon')), Number(query.get('lat'))];
    return json({
      point: { lon: point[0], lat: point[1] },
      revision: 1,
      layers: city.map((layer) => at(layer, point)),
    });
  }
  if (path === '/api/within') {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const area = JSON.parse(Buffer.concat(chunks).toString()) as GeoJSON.Polygon;
      json({ revision: 1, area: square(14_400), layers: city.map((layer) => within(layer, area)) });
    });
    return true;
  }
  if (path === '/api/search') return json({ query: query.get('q'), results: search(city, query.get('q') ?? '') });
  return false;
}

const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').replace(/đ/gi, 'd').toLowerCase();

function search(city: MockLayer[], text: string) {
  // Communes first, as the server gives them.
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
