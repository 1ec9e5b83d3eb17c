// Draws tiles/sprites/src/*.svg into one picture at two densities: citymap.png, citymap@2x.png and their indices.
// The pictures are in rows, a pixel apart, so that neighbours do not blend when they are scaled.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Resvg } from '@resvg/resvg-js';

const folder = new URL('../../tiles/sprites/', import.meta.url);
const names = readdirSync(new URL('src/', folder))
  .filter((name) => name.endsWith('.svg'))
  .sort();
const pictures = names.map((name) => {
  const svg = readFileSync(new URL(`src/${name}`, folder), 'utf8');
  const size = /width="(\d+)" height="(\d+)"/.exec(svg);
  if (!size) throw new Error(`${name} names no width and height`);
  return { name: name.replace('.svg', ''), svg, width: Number(size[1]), height: Number(size[2]) };
});

const SHEET = 128;
const GAP = 1;
let x = 0;
let y = 0;
let row = 0;
for (const picture of pictures) {
  if (x + picture.width > SHEET) {
    x = 0;
    y += row + GAP;
    row = 0;
  }
  Object.assign(picture, { x, y });
  x += picture.width + GAP;
  row = Math.max(row, picture.height);
}
const height = y + row;

for (const ratio of [1, 2]) {
  const body = pictures.map((p) => p.svg.replace('<svg ', `<svg x="${p.x}" y="${p.y}" `)).join('');
  const sheet = `<svg xmlns="http://www.w3.org/2000/svg" width="${SHEET}" height="${height}">${body}</svg>`;
  const png = new Resvg(sheet, { fitTo: { mode: 'width', value: SHEET * ratio } }).render().asPng();
  const suffix = ratio === 2 ? '@2x' : '';
  const index = Object.fromEntries(
    pictures.map((p) => [
      p.name,
      { x: p.x * ratio, y: p.y * ratio, width: p.width * ratio, height: p.height * ratio, pixelRatio: ratio },
    ]),
  );
  writeFileSync(new URL(`citymap${suffix}.png`, folder), png);
  writeFileSync(new URL(`citymap${suffix}.json`, folder), `${JSON.stringify(index, null, 1)}\n`);
}
console.log(`${pictures.length} pictures, ${SHEET} × ${height}`);
