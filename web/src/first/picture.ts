/**
 * The first picture: water, main roads and communes where the map will be, while the map's own script is on its way.
 *
 * The script of the page has 390 kB and the map draws nothing before all of it is there, on a line of 50 kB/s after
 * eight seconds. This picture needs a few kB of script, the style and the coarse tiles of three layers. It cannot be
 * moved, and goes as soon as the map has drawn these layers.
 */
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import { type Collection, requestCollections, tileUrl } from '../lib/api';
import { city, loadCity } from '../lib/city';
import { firstView } from '../lib/home';
import { desktopInsets, PANEL_WIDTH, PHONE, phoneInsets } from '../lib/insets';
import { type Link, readLink } from '../lib/permalink';
import { serverUrl } from '../lib/root';
import { drawnBy, FIRST_STYLE, fetchStyle } from '../lib/styles';
import { classify, importance } from '../map/classify';
import { joinedAddress } from '../map/tilerequests';
import { type Drawing, drawGround, drawNames, drawTile } from './drawing';
import { type Sight, type SightTile, sightOf, sightTiles } from './sight';

/** The element that shows the picture; the map takes it over and removes it. */
export const PICTURE_ID = 'first-picture';

/** The picture is of few tiles. A view that needs more (a wall of screens) goes without it. */
const MAX_TILES = 16;

/** From this zoom level on single parcels matter, of which the picture has none, and its tiles are too coarse. */
const MAX_ZOOM = 16;

/** The base layers among all: those without which nobody finds a place, what matters most first. */
export function baseLayers(layers: Collection[]): Collection[] {
  return layers
    .filter((layer) => ['admin', 'water', 'road'].includes(classify(layer)))
    .sort((a, b) => importance(a) - importance(b));
}

/** Whether a layer that the style of a link draws is shown where the link leads to. */
export const shownBy = ({ off }: Link, { id }: Collection): boolean => !off.includes(id);

/** Whether a link leads to a view that the picture can show: the present, north up, not too near. */
export const pictured = ({ camera, revision, valid }: Link): boolean =>
  revision === undefined &&
  valid === undefined &&
  (camera === undefined || (camera.bearing === 0 && camera.zoom < MAX_ZOOM));

/** Draws the first picture. Without an answer, or where it cannot show what the address names, there is none. */
export async function drawFirstPicture(answered: () => void): Promise<void> {
  const link = readLink(location.hash);
  if (!pictured(link)) return;
  const theme = link.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  // The page asks for the same style, and gets this one.
  const styled = loadCity().then(() =>
    fetchStyle({
      style: link.style ?? FIRST_STYLE,
      level: link.level ?? null,
      theme,
      lang: link.lang ?? city().languages[0] ?? 'vi',
      layers: null,
    }),
  );
  styled.catch(() => undefined);
  const [, { collections }] = await Promise.all([loadCity(), requestCollections()]);
  answered();
  const style = await styled;
  const drawn = new Set(style.layers.flatMap((layer) => drawnBy(layer) ?? []));
  const base = baseLayers(collections.filter(({ id }) => drawn.has(id)));
  const layers = base.filter((layer) => shownBy(link, layer));
  // Without communes the ground has another colour.
  if (base.some((layer) => classify(layer) === 'admin' && !layers.includes(layer))) return;
  // The view of a city that is elsewhere follows from the layers, once the map is there.
  if (layers.length === 0 || (!link.camera && 'bbox' in firstView(collections))) return;
  const phone = matchMedia(PHONE).matches;
  const covered = phone ? phoneInsets() : desktopInsets(PANEL_WIDTH);
  const sight = sightOf(link.camera ?? city().view, [innerWidth, innerHeight], link.camera ? null : covered);
  const wanted = sightTiles(sight);
  if (wanted.length > MAX_TILES) return;
  const canvas = canvasFor(sight);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(devicePixelRatio, devicePixelRatio);
  const drawing: Drawing = { context, sight, style, layers: new Set(layers.map(({ id }) => id)) };
  drawGround(drawing);
  await Promise.all(
    wanted.map(async (tile) => {
      drawTile(drawing, { tile, data: await load(tile, layers) });
      if (!canvas.isConnected && !removed) show(canvas);
    }),
  );
  drawNames(drawing);
  // Where the map was faster, nobody has seen the picture.
  if (!removed) performance.mark(PICTURE_ID);
}

let removed = false;
/** The element of the map, as soon as it is there. */
let mapElement: HTMLElement | null = null;

function show(picture: HTMLElement): void {
  if (mapElement) mapElement.after(picture);
  else document.body.append(picture);
}

/** Shows the picture over the map and below the panels, until {@link removeFirstPicture}. */
export function showFirstPictureOver(map: HTMLElement): void {
  mapElement = map;
  const picture = document.getElementById(PICTURE_ID);
  if (picture) show(picture);
}

/** Removes the picture: the map has drawn what it shows, or shows something else. */
export function removeFirstPicture(): void {
  removed = true;
  document.getElementById(PICTURE_ID)?.remove();
}

function canvasFor({ width, height }: Sight): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.id = PICTURE_ID;
  canvas.setAttribute('aria-hidden', 'true');
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  canvas.style.cssText = `position:absolute;inset:0;width:${width}px;height:${height}px;pointer-events:none`;
  return canvas;
}

async function load({ z, x, y }: SightTile, layers: Collection[]): Promise<VectorTile> {
  const urls = layers.map((layer) =>
    serverUrl(tileUrl(layer)).replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y)),
  );
  const response = await fetch(joinedAddress(urls));
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return new VectorTile(new PbfReader(new Uint8Array(await response.arrayBuffer())));
}
