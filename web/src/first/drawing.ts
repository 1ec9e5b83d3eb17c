/**
 * Drawing the first picture on a canvas: what the server's style draws of communes, water and roads, and the names of
 * communes.
 */
import type { VectorTile, VectorTileFeature } from '@mapbox/vector-tile';
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import { drawnBy } from '../lib/styles';
import { evaluate, type Scope } from './expression';
import { place, type Sight, type SightTile } from './sight';

/** A tile with the data of the base layers. */
export interface LoadedTile {
  tile: SightTile;
  data: VectorTile;
}

/** What the picture is drawn with. */
export interface Drawing {
  context: CanvasRenderingContext2D;
  sight: Sight;
  style: StyleSpecification;
  /** The ids of the base layers: administrative units, water and roads. */
  layers: ReadonlySet<string>;
}

/** The kinds of geometry by their numbers in vector tiles. */
const TYPES = ['Unknown', 'Point', 'LineString', 'Polygon'];

/** The style layers of one type that are drawn at the zoom of the picture, from bottom to top. */
function layersOf({ style, sight, layers }: Drawing, type: LayerSpecification['type'][]): LayerSpecification[] {
  return style.layers.filter((layer) => {
    const id = drawnBy(layer);
    const within = sight.zoom >= (layer.minzoom ?? 0) && sight.zoom < (layer.maxzoom ?? 24);
    return type.includes(layer.type) && within && (id === null ? layer.type === 'background' : layers.has(id));
  });
}

/** A property of a style layer, or its default. */
function property<T>(
  layer: LayerSpecification,
  group: 'paint' | 'layout',
  name: string,
  scope: Scope,
  otherwise: T,
): T {
  const value = (layer[group] as Record<string, unknown> | undefined)?.[name];
  return value === undefined ? otherwise : (evaluate(value, scope) as T);
}

/** Draws what is below the tiles. */
export function drawGround(drawing: Drawing): void {
  const { context, sight } = drawing;
  const nothing = { zoom: sight.zoom, type: '', properties: {} };
  for (const layer of layersOf(drawing, ['background'])) {
    context.fillStyle = property(layer, 'paint', 'background-color', nothing, '#000000');
    context.fillRect(0, 0, sight.width, sight.height);
  }
}

/** Draws a tile, without names. */
export function drawTile(drawing: Drawing, loaded: LoadedTile): void {
  const { context } = drawing;
  const { left, top, size } = loaded.tile;
  context.save();
  context.beginPath();
  // Half a pixel more, or the ground shows between two tiles.
  context.rect(left - 0.5, top - 0.5, size + 1, size + 1);
  context.clip();
  for (const layer of layersOf(drawing, ['fill', 'line'])) {
    const features = featuresOf(drawing, loaded, layer);
    if (layer.type === 'fill') fillAreas(context, loaded, layer, features);
    else strokeLines(context, loaded, layer, features);
  }
  context.restore();
}

/** A feature that a style layer draws, with what its values depend on. */
interface Admitted {
  feature: VectorTileFeature;
  scope: Scope;
}

function featuresOf({ sight }: Drawing, { data }: LoadedTile, layer: LayerSpecification): Admitted[] {
  const all = data.layers[drawnBy(layer) ?? ''];
  const filter = 'filter' in layer ? layer.filter : undefined;
  const admitted: Admitted[] = [];
  for (let index = 0; all && index < all.length; index += 1) {
    const feature = all.feature(index);
    const scope = { zoom: sight.zoom, type: TYPES[feature.type] ?? '', properties: feature.properties };
    if (feature.type === 1 || (filter !== undefined && evaluate(filter, scope) !== true)) continue;
    if (layer.type === 'fill' && feature.type !== 3) continue;
    admitted.push({ feature, scope });
  }
  return admitted;
}

/** Adds the lines or rings of a feature to the path. */
function trace(context: CanvasRenderingContext2D, { tile }: LoadedTile, feature: VectorTileFeature): void {
  const scale = tile.size / feature.extent;
  for (const line of feature.loadGeometry()) {
    line.forEach(({ x, y }, index) => {
      const [px, py] = [tile.left + x * scale, tile.top + y * scale];
      if (index === 0) context.moveTo(px, py);
      else context.lineTo(px, py);
    });
  }
}

function fillAreas(
  context: CanvasRenderingContext2D,
  loaded: LoadedTile,
  layer: LayerSpecification,
  features: Admitted[],
): void {
  for (const { feature, scope } of features) {
    context.fillStyle = property(layer, 'paint', 'fill-color', scope, '#000000');
    context.globalAlpha = property(layer, 'paint', 'fill-opacity', scope, 1);
    context.beginPath();
    trace(context, loaded, feature);
    context.fill('evenodd');
  }
}

/** How lines are drawn that become one path. */
interface Stroke {
  color: string;
  width: number;
  opacity: number;
  dashes: number[];
  lines: VectorTileFeature[];
}

/** Lines in the order of their sort keys; those that look alike are one path. */
function strokeLines(
  context: CanvasRenderingContext2D,
  loaded: LoadedTile,
  layer: LayerSpecification,
  features: Admitted[],
): void {
  const keyed = features.map((one) => ({ ...one, key: property(layer, 'layout', 'line-sort-key', one.scope, 0) }));
  const strokes = new Map<string, Stroke>();
  for (const { feature, scope, key } of keyed.sort((a, b) => a.key - b.key)) {
    const color = property(layer, 'paint', 'line-color', scope, '#000000');
    const width = property(layer, 'paint', 'line-width', scope, 1);
    const opacity = property(layer, 'paint', 'line-opacity', scope, 1);
    const dashes = ((layer.paint as Record<string, unknown> | undefined)?.['line-dasharray'] ?? []) as number[];
    const look = [key, color, width, opacity].join();
    const known = strokes.get(look);
    if (known) known.lines.push(feature);
    else strokes.set(look, { color, width, opacity, dashes, lines: [feature] });
  }
  const nothing = { zoom: 0, type: '', properties: {} };
  context.lineJoin = property<CanvasLineJoin>(layer, 'layout', 'line-join', nothing, 'miter');
  context.lineCap = property<CanvasLineCap>(layer, 'layout', 'line-cap', nothing, 'butt');
  for (const { color, width, opacity, dashes, lines } of strokes.values()) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.globalAlpha = opacity;
    context.setLineDash(dashes.map((length) => length * width));
    context.beginPath();
    for (const line of lines) trace(context, loaded, line);
    context.stroke();
  }
}

/** Writes the names that the style has as points of their own, unless one would lie over another. */
export function drawNames(drawing: Drawing): void {
  const { context, sight, style } = drawing;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  const written: [number, number, number][] = [];
  for (const layer of layersOf(drawing, ['symbol'])) {
    const source = 'source' in layer ? style.sources[layer.source] : undefined;
    if (source?.type !== 'geojson' || typeof source.data === 'string') continue;
    for (const { geometry, properties } of (source.data as GeoJSON.FeatureCollection).features) {
      if (geometry.type !== 'Point') continue;
      const scope = { zoom: sight.zoom, type: 'Point', properties: properties ?? {} };
      const name = property(layer, 'layout', 'text-field', scope, '');
      const size = property(layer, 'layout', 'text-size', scope, 16);
      const [lon = 0, lat = 0] = geometry.coordinates;
      const [x, y] = place([lon, lat], sight.world).map((at, axis) => at - (sight.origin[axis] ?? 0)) as [
        number,
        number,
      ];
      if (name === '' || x < 0 || y < 0 || x > sight.width || y > sight.height) continue;
      context.font = `600 ${size}px "Be Vietnam Pro", system-ui, sans-serif`;
      const half = context.measureText(name).width / 2;
      if (written.some(([ox, oy, own]) => Math.abs(ox - x) < half + own + 8 && Math.abs(oy - y) < 2 * size)) continue;
      written.push([x, y, half]);
      context.lineWidth = 2 * property(layer, 'paint', 'text-halo-width', scope, 0);
      context.strokeStyle = property(layer, 'paint', 'text-halo-color', scope, '#ffffff');
      context.fillStyle = property(layer, 'paint', 'text-color', scope, '#000000');
      context.strokeText(name, x, y);
      context.fillText(name, x, y);
    }
  }
}
