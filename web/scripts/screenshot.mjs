// Takes the pictures of the documentation, docs/images/*.png: makes a demo city, serves it with the given binary, and
// shows a selected parcel on a desktop and on a phone. With CITYMAP_URL it uses the server that runs there.
//
//     node scripts/screenshot.mjs ../target/release/citymap
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './browser.mjs';
import { png8 } from './png8.mjs';
import { demoCity } from './democity.mjs';

const OUT = fileURLToPath(new URL('../../docs/images/', import.meta.url));
/** A picture that is larger slows the reading of the documentation down. */
const MAX_BYTES = 400_000;
/** A point inside a parcel of the demo city, longitude and latitude. */
const POINT = [106.70432, 10.77464];

/** The pictures; `center` is the middle of the screen, part of which the panel covers. */
const PICTURES = [
  {
    file: 'map.png',
    center: [106.70395, 10.7746],
    zoom: 18.2,
    lang: 'en',
    device: { viewport: { width: 1280, height: 800 } },
  },
  {
    file: 'map-phone.png',
    center: [106.70432, 10.7742],
    zoom: 18,
    lang: 'vi',
    device: { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true },
  },
];

/** The red, green, blue and alpha of each pixel of a screenshot, decoded by the browser. */
async function pixels(page) {
  const png = (await page.screenshot()).toString('base64');
  const { width, height, rgba } = await page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data: bytes } = context.getImageData(0, 0, image.width, image.height);
    let text = '';
    for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
    return { width: image.width, height: image.height, rgba: btoa(text) };
  }, png);
  return { width, height, rgba: Buffer.from(rgba, 'base64') };
}

async function take(browser, url, { file, center, zoom, lang, device }) {
  const context = await browser.newContext({ ...device, colorScheme: 'light', reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const map = `map=${zoom}/${center[1]}/${center[0]}&off=street_lights&at=${POINT.join(',')}`;
  await page.goto(`${url}/#${map}&lang=${lang}&theme=light`);
  await page.locator('.chosen').waitFor();
  await page.waitForSelector('html[data-map-idle="true"]');
  const { width, height, rgba } = await pixels(page);
  const png = png8(rgba, width, height);
  if (png.length > MAX_BYTES) throw new Error(`${file} has ${png.length} bytes, more than ${MAX_BYTES}`);
  writeFileSync(join(OUT, file), png);
  console.log(`${String(png.length).padStart(8)}  docs/images/${file}`);
  await context.close();
}

const { url, stop } = await demoCity(process.argv[2]);
mkdirSync(OUT, { recursive: true });
const browser = await launch();
try {
  for (const picture of PICTURES) await take(browser, url, picture);
} finally {
  await browser.close();
  stop();
}
