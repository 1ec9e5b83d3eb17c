// Takes the pictures of the documentation, docs/images/*.webp: makes a demo city, serves it with the given binary, and
// shows the page in its typical states, on a desktop, on a phone and magnified. With CITYMAP_URL it uses the server that
// runs there, whose token for editing is CITYMAP_TOKEN. After the binary may follow the names of single pictures.
//
//     node scripts/screenshot.mjs ../target/release/citymap [NAME…]
import { launch } from './browser.mjs';
import { demoCity } from './democity.mjs';
import { savePicture } from './picture.mjs';

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };
/** A desktop of 1280 × 800 pixels at 200 % and 400 %. */
const DOUBLE = { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 };
const FOURFOLD = { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 };

/** A point inside a parcel of the demo city, longitude and latitude, and a middle of the screen that shows it. */
const POINT = '106.70432,10.77464';
const CLOSE = 'map=18.6/10.7746/106.70395&off=street_lights';
const ASKED = `${CLOSE}&at=${POINT}`;

const button = (page, name) => page.getByRole('button', { name, exact: true });
const tab = (page, name) => page.getByRole('tab', { name });

/** Opens the pane of a tool and clicks positions on the map, in pixels from its middle. */
async function draw(page, [tools, name], corners) {
  await tab(page, tools).click();
  await button(page, name).click();
  for (const [x, y] of corners) await page.mouse.click(830 + x, 400 + y);
}
const SQUARE = [
  [-170, -120],
  [150, -150],
  [180, 110],
  [-120, 140],
  [-170, -120],
];

/** The pictures: the page's address, and what is done there. */
const PICTURES = [
  { name: 'map', hash: `map=18.2/10.7746/106.70395&off=street_lights&at=${POINT}`, lang: 'en' },
  { name: 'map-phone', hash: `map=18/10.7742/106.70432&off=street_lights&at=${POINT}`, device: PHONE },
  { name: 'first-view' },
  { name: 'first-view-dark', lang: 'en', theme: 'dark' },
  {
    name: 'search',
    hash: CLOSE,
    act: async (page) => {
      await page.getByRole('combobox').fill('duong so 118');
      await page.getByRole('option').first().waitFor();
    },
  },
  {
    name: 'plan',
    hash: ASKED,
    lang: 'en',
    act: async (page) => {
      await page.locator('.card h3 button', { hasText: 'Planning zones' }).first().click();
      await page.locator('.chosen').evaluate((card) => card.scrollIntoView());
    },
  },
  {
    name: 'layers-dark',
    hash: 'map=17/10.7746/106.70395',
    theme: 'dark',
    act: (page) => tab(page, 'Lớp dữ liệu').click(),
  },
  {
    name: 'measure',
    hash: CLOSE,
    act: (page) => draw(page, ['Công cụ', 'Đo khoảng cách, diện tích'], SQUARE),
  },
  {
    name: 'statistics',
    hash: CLOSE,
    lang: 'en',
    act: async (page) => {
      await draw(page, ['Tools', 'Statistics for an area'], SQUARE);
      await page.locator('#pane-tools table').first().waitFor();
    },
  },
  {
    name: 'history',
    hash: CLOSE,
    act: async (page) => {
      await tab(page, 'Công cụ').click();
      await button(page, 'Lịch sử').click();
      await page.getByLabel('Chỉ hiện đối tượng có hiệu lực vào ngày').fill('30/06/2020');
      await page.getByLabel('Chỉ hiện đối tượng có hiệu lực vào ngày').press('Enter');
      await page.locator('.banner').waitFor();
    },
  },
  {
    name: 'edit',
    hash: ASKED,
    act: async (page, token) => {
      await tab(page, 'Công cụ').click();
      await button(page, 'Chỉnh sửa dữ liệu').click();
      await page.getByLabel('Mã quyền chỉnh sửa').fill(token);
      await button(page, 'Dùng mã này').click();
      await page.getByText('Đã có mã quyền chỉnh sửa').waitFor();
      await tab(page, 'Đang chọn').click();
      await button(page.locator('.chosen'), 'Sửa').click();
      await button(page, 'Sửa hình dạng').click();
      await page.getByRole('group', { name: 'Đỉnh' }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'trouble',
    hash: CLOSE,
    act: async (page) => {
      await page.route('**/api/at*', (route) => route.fulfill({ status: 503, body: '{}' }));
      await page.mouse.click(830, 400);
      await page.getByRole('alert').waitFor();
    },
  },
  {
    name: 'phone-search-dark',
    hash: CLOSE,
    lang: 'en',
    theme: 'dark',
    device: PHONE,
    act: async (page) => {
      await page.getByRole('combobox').fill('ben thanh');
      await page.getByRole('option').first().waitFor();
    },
  },
  {
    name: 'phone-layers',
    hash: CLOSE,
    device: PHONE,
    act: async (page) => {
      for (let step = 0; step < 2; step += 1) await button(page, 'Đổi chiều cao bảng thông tin').click();
    },
  },
  {
    name: 'magnified-200',
    hash: ASKED,
    device: DOUBLE,
    act: (page) => button(page, 'Tọa độ, tỷ lệ, ngày và nguồn dữ liệu').click(),
  },
  { name: 'magnified-400', hash: CLOSE, lang: 'en', device: { ...FOURFOLD, forcedColors: 'active' } },
];

async function take(browser, { url, token }, { name, hash = '', lang = 'vi', theme = 'light', device = DESKTOP, act }) {
  const context = await browser.newContext({ ...device, colorScheme: theme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(180_000);
  await page.goto(`${url}/#${hash}&lang=${lang}&theme=${theme}`);
  await page.waitForSelector('html[data-map-idle="true"]');
  if (hash.includes('at=')) await page.locator('.chosen').waitFor();
  await act?.(page, token);
  // Two frames, in which what was done reaches the map.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.waitForSelector('html[data-map-idle="true"]');
  await savePicture(page, name, await page.screenshot());
  await context.close();
}

const [binary, ...names] = process.argv.slice(2);
const unknown = names.filter((name) => !PICTURES.some((picture) => picture.name === name));
if (unknown.length > 0) throw new Error(`there is no picture ${unknown.join(', ')}`);
const server = await demoCity(binary);
try {
  const browser = await launch();
  for (const picture of PICTURES) {
    if (names.length === 0 || names.includes(picture.name)) await take(browser, server, picture);
  }
  await browser.close();
} finally {
  server.stop();
}
