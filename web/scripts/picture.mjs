/** Pictures of the documentation: WebP files in docs/images, small enough to read along. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OUT = fileURLToPath(new URL('../../docs/images/', import.meta.url));
/** A picture that is larger slows the reading of the documentation down. */
const MAX_BYTES = 150_000;
/** The qualities that are tried, best first. */
const QUALITIES = [0.85, 0.75, 0.65, 0.55, 0.45];

/** A picture (PNG, base64) as WebP, which the browser encodes. */
async function webp(page, png, quality) {
  const encoded = await page.evaluate(
    async ([data, wanted]) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      canvas.getContext('2d').drawImage(image, 0, 0);
      const bytes = new Uint8Array(
        await (await canvas.convertToBlob({ type: 'image/webp', quality: wanted })).arrayBuffer(),
      );
      let text = '';
      for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
      return btoa(text);
    },
    [png, quality],
  );
  return Buffer.from(encoded, 'base64');
}

/** Saves a picture (PNG) as docs/images/NAME.webp, in the best quality that is small enough. */
export async function savePicture(page, name, png) {
  let picture = null;
  for (const quality of QUALITIES) {
    picture = await webp(page, png.toString('base64'), quality);
    if (picture.length <= MAX_BYTES) break;
  }
  if (picture.length > MAX_BYTES) throw new Error(`${name} has ${picture.length} bytes, more than ${MAX_BYTES}`);
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, `${name}.webp`), picture);
  console.log(`${String(picture.length).padStart(8)}  docs/images/${name}.webp`);
}
