/** Drawing the first picture: communes, water and roads with the names of communes, on a canvas. */
import type { VectorTile, VectorTileFeature } from '@mapbox/vector-tile';
import type { Collection } from '../lib/api';
import { boundsOf, innerPoint } from '../lib/geometry';
import { classify } from '../map/classify';
import type { Palette } from '../map/palette';
import { MIN_WIDTHS, RANKS_SHOWN, rankByClass } from '../map/roads';
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
  colors: Palette;
  /** The base layers: administrative units, water and roads. */
  layers: Collection[];
}

/** The width of a road in pixels at a zoom level, by its rank. */
export function lineWidth(rank: number, zoom: number): number {
  const next = Math.max(
    1,
    Math.min(
      MIN_WIDTHS.length - 1,
      MIN_WIDTHS.findIndex(([level]) => level > zoom),
    ),
  );
  const [from, to] = [MIN_WIDTHS[next - 1], MIN_WIDTHS[next]];
  if (!from || !to) return 0;
  const share = (2 ** (zoom - from[0]) - 1) / (2 ** (to[0] - from[0]) - 1);
  const [thin = 0, thick = 0] = [from[1][rank], to[1][rank]];
  return thin + (thick - thin) * Math.max(0, Math.min(1, share));
}

/** Draws what is below the tiles. */
export function drawGround({ context, sight, colors, layers }: Drawing): void {
  context.fillStyle = layers.some((layer) => classify(layer) === 'admin') ? colors.outside : colors.ground;
  context.fillRect(0, 0, sight.width, sight.height);
}

/** Draws a tile, without names. */
export function drawTile(drawing: Drawing, loaded: LoadedTile): void {
  const { context, sight, colors, layers } = drawing;
  const { left, top, size } = loaded.tile;
  const of = (kind: ReturnType<typeof classify>) => layers.filter((layer) => classify(layer) === kind);
  context.save();
  context.beginPath();
  // Half a pixel more, or the ground shows between two tiles.
  context.rect(left - 0.5, top - 0.5, size + 1, size + 1);
  context.clip();
  context.lineJoin = 'round';
  context.lineCap = 'round';
  for (const layer of of('admin')) fillAreas(drawing, loaded, layer, colors.ground);
  for (const layer of of('water')) {
    fillAreas(drawing, loaded, layer, colors.water);
    strokeLines(drawing, loaded, layer, { color: colors.waterLine, width: sight.zoom < 13 ? 1 : 1.6, type: 2 });
  }
  for (const layer of of('road')) drawRoads(drawing, loaded, layer);
  context.setLineDash([6, 2, 1.5, 2]);
  context.globalAlpha = 0.75;
  for (const layer of of('admin')) {
    strokeLines(drawing, loaded, layer, { color: colors.adminLine, width: 1.2, type: 3 });
  }
  context.restore();
}

/** The types of geometry in vector tiles: lines are 2, polygons 3. */
type GeometryType = 2 | 3;

function featuresOf({ data }: LoadedTile, { id }: Collection, type: GeometryType): VectorTileFeature[] {
  const layer = data.layers[id];
  const features = Array.from({ length: layer?.length ?? 0 }, (_, index) => layer?.feature(index));
  return features.filter((feature) => feature !== undefined && feature.type === type) as VectorTileFeature[];
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

function fillAreas({ context }: Drawing, loaded: LoadedTile, layer: Collection, color: string): void {
  context.fillStyle = color;
  for (const feature of featuresOf(loaded, layer, 3)) {
    context.beginPath();
    trace(context, loaded, feature);
    context.fill('evenodd');
  }
}

interface Stroke {
  color: string;
  width: number;
  type: GeometryType;
}

function strokeLines(
  { context }: Drawing,
  loaded: LoadedTile,
  layer: Collection,
  { color, width, type }: Stroke,
): void {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  for (const feature of featuresOf(loaded, layer, type)) trace(context, loaded, feature);
  context.stroke();
}

/** Roads, the least important first: all casings of a rank below all of its carriageways. */
function drawRoads({ context, sight, colors }: Drawing, loaded: LoadedTile, layer: Collection): void {
  const rankOf = rankByClass(layer);
  const highest = RANKS_SHOWN.findLast(([zoom]) => zoom <= sight.zoom)?.[1] ?? 1;
  const features = featuresOf(loaded, layer, 2);
  for (let rank = highest; rank >= 0; rank -= 1) {
    const width = lineWidth(rank, sight.zoom);
    context.beginPath();
    for (const feature of features) if (rankOf(feature.properties) === rank) trace(context, loaded, feature);
    context.strokeStyle = colors.roadCasings[rank] ?? colors.label;
    context.lineWidth = sight.zoom < 12 ? width : width + 1.4;
    context.stroke();
    if (sight.zoom < 12) continue;
    context.strokeStyle = colors.roads[rank] ?? colors.ground;
    context.lineWidth = width;
    context.stroke();
  }
}

/** Writes the name of each administrative unit once, in its largest part, unless it would lie over another. */
export function drawNames(drawing: Drawing, tiles: LoadedTile[]): void {
  const { context, sight, colors, layers } = drawing;
  const names = new Map<string, { size: number; at: [number, number] }>();
  for (const layer of layers) {
    const label = layer.citymap.label;
    if (classify(layer) !== 'admin' || !label) continue;
    for (const loaded of tiles) {
      for (const feature of featuresOf(loaded, layer, 3)) {
        const { geometry } = feature.toGeoJSON(loaded.tile.x, loaded.tile.y, loaded.tile.z);
        const [bounds, point, name] = [boundsOf(geometry), innerPoint(geometry), feature.properties[label]];
        if (!bounds || !point || name === undefined) continue;
        const size = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]);
        const [x, y] = place(point, sight.world);
        if (size <= (names.get(String(name))?.size ?? 0)) continue;
        names.set(String(name), { size, at: [x - sight.origin[0], y - sight.origin[1]] });
      }
    }
  }
  context.font = '600 12.5px "Be Vietnam Pro", system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineWidth = 3;
  context.strokeStyle = colors.halo;
  context.fillStyle = colors.adminLabel;
  const written: [number, number, number][] = [];
  for (const [name, { at }] of [...names].sort((a, b) => b[1].size - a[1].size)) {
    const half = context.measureText(name).width / 2;
    if (written.some(([x, y, own]) => Math.abs(x - at[0]) < half + own + 8 && Math.abs(y - at[1]) < 24)) continue;
    written.push([at[0], at[1], half]);
    context.strokeText(name, at[0], at[1]);
    context.fillText(name, at[0], at[1]);
  }
}
