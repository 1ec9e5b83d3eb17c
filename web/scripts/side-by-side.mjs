// The map as the browser draws it (above) and as the server does (below), at zoom 9, 12, 15, 17 and 19, one picture for
// each style and appearance: docs/images/drawn-STYLE-APPEARANCE.webp. Prints how much of each pair differs.
//
//     node scripts/side-by-side.mjs ../target/release/citymap [STYLE…]
import { launch } from './browser.mjs';
import { demoCity } from './democity.mjs';
import { savePicture } from './picture.mjs';

const ZOOMS = [9, 12, 15, 17, 19];
const [WIDTH, HEIGHT] = [272, 256];
/** A part of the page that is larger than what is compared: labels near its edge differ. */
const PAGE = { width: 1000, height: 800 };
const [LON, LAT] = [106.698, 10.7725];

const [binary, ...names] = process.argv.slice(2);
const { url, stop } = await demoCity(binary);

/** The map alone around its middle, and the box of the world that it shows in EPSG:3857. */
async function drawnByBrowser(page, style, appearance, zoom) {
  // A page behind another one draws nothing.
  await page.bringToFront();
  await page.goto(`${url}/#map=${zoom}/${LAT}/${LON}&style=${style}&theme=${appearance}&lang=vi`);
  // A fragment alone loads no page.
  await page.reload();
  await page.waitForSelector('html[data-map-idle="true"]', { timeout: 120_000 });
  await page.addStyleTag({ content: '* { visibility: hidden } canvas.maplibregl-canvas { visibility: visible }' });
  const clip = { x: (PAGE.width - WIDTH) / 2, y: (PAGE.height - HEIGHT) / 2, width: WIDTH, height: HEIGHT };
  const box = await page.evaluate(({ x, y, width, height }) => {
    const corner = ([left, top]) => {
      const { lng, lat } = window.citymap.map.unproject([left, top]);
      const radius = 6_378_137;
      return [(lng / 180) * Math.PI * radius, Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) * radius];
    };
    const [[west, south], [east, north]] = [corner([x, y + height]), corner([x + width, y])];
    return [west, south, east, north];
  }, clip);
  return { picture: await page.screenshot({ clip }), box };
}

async function drawnByServer(style, appearance, box) {
  const size = `width=${WIDTH}&height=${HEIGHT}&crs=EPSG:3857&bbox-crs=EPSG:3857`;
  const path = `/api/styles/${style}/map?bbox=${box.join(',')}&${size}&appearance=${appearance}&lang=vi&f=png`;
  const answer = await fetch(`${url}${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** The share of pixels of which a channel differs by more than 48 of 255. */
function difference(page, pair) {
  return page.evaluate(async (pictures) => {
    const pixels = await Promise.all(
      pictures.map(async (data) => {
        const image = new Image();
        image.src = `data:image/png;base64,${data}`;
        await image.decode();
        const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
        context.drawImage(image, 0, 0);
        return context.getImageData(0, 0, image.width, image.height).data;
      }),
    );
    const [own, other] = pixels;
    let count = 0;
    for (let at = 0; at < own.length; at += 4) {
      if ([0, 1, 2].some((channel) => Math.abs(own[at + channel] - other[at + channel]) > 48)) count += 1;
    }
    return count / (own.length / 4);
  }, pair);
}

const browser = await launch();
try {
  const { styles } = await (await fetch(`${url}/api/styles`)).json();
  const context = await browser.newContext({ viewport: PAGE, reducedMotion: 'reduce' });
  context.setDefaultTimeout(180_000);
  const [page, sheet] = [await context.newPage(), await context.newPage()];
  await sheet.setViewportSize({ width: ZOOMS.length * (WIDTH + 4), height: 2 * (HEIGHT + 4) });
  for (const { id } of styles.filter((style) => names.length === 0 || names.includes(style.id))) {
    for (const appearance of ['light', 'dark']) {
      const columns = [];
      const shares = [];
      for (const zoom of ZOOMS) {
        const { picture, box } = await drawnByBrowser(page, id, appearance, zoom);
        const pair = [picture, await drawnByServer(id, appearance, box)].map((data) => data.toString('base64'));
        columns.push(pair);
        shares.push(`z${zoom} ${(100 * (await difference(sheet, pair))).toFixed(1)} %`);
      }
      await sheet.bringToFront();
      const image = (data) => `<img src="data:image/png;base64,${data}" style="margin:2px;display:block">`;
      const rows = columns.map((pair) => `<div>${pair.map(image).join('')}</div>`).join('');
      await sheet.setContent(`<body style="margin:0;display:flex;background:#888">${rows}</body>`);
      await savePicture(sheet, `drawn-${id}-${appearance}`, await sheet.screenshot());
      console.log(`          ${id}, ${appearance}: ${shares.join(', ')}`);
    }
  }
} finally {
  await browser.close();
  stop();
}
