/** The page on a phone, with touch. */
import { devices, type Locator } from '@playwright/test';
import { CORE, expect, idle, open, test } from './page';

const { viewport, userAgent, hasTouch, isMobile, deviceScaleFactor } = devices['Pixel 7'];
test.use({ viewport, userAgent, hasTouch, isMobile, deviceScaleFactor });

const [LON, LAT] = CORE;
const QUIET = '&off=parcels,buildings,addresses,street_lights,zones';

async function box(locator: Locator) {
  const found = await locator.boundingBox();
  if (!found) throw new Error('not on the page');
  return found;
}

test('a tapped result is what opens: the tap does not reach the map', async ({ page }) => {
  await open(page, `#map=15/${LAT}/${LON}${QUIET}`);
  const asked: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname === '/api/at') asked.push(url.searchParams.get('lon') ?? '');
  });
  await page.getByRole('combobox').tap();
  await page.getByRole('combobox').fill('ben thanh');
  const option = page.getByRole('option', { name: /^Phường Bến Thành/ }).first();
  await option.tap();
  await expect(page.locator('.chosen .name')).toHaveText('Phường Bến Thành');
  await idle(page);
  expect(new Set(asked).size, 'one place was asked about').toBe(1);
});

test('the list of results scrolls before it chooses', async ({ page }) => {
  await open(page, `#map=15/${LAT}/${LON}${QUIET}`);
  await page.getByRole('combobox').tap();
  await page.getByRole('combobox').fill('duong so 4');
  const list = page.getByRole('listbox');
  await expect(page.getByRole('option').nth(7)).toBeAttached();
  const { x, y, width } = await box(list);
  const client = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', at: number) =>
    client.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: type === 'touchEnd' ? [] : [{ x: x + width / 2, y: at }],
    });
  await touch('touchStart', y + 200);
  for (let step = 1; step <= 10; step += 1) await touch('touchMove', y + 200 - step * 15);
  await touch('touchEnd', 0);
  await expect.poll(() => list.evaluate((element) => element.scrollTop)).toBeGreaterThan(20);
  await expect(list).toBeVisible();
  await expect(page.locator('.chosen')).toHaveCount(0);
});

test('buttons are large enough, above the sheet and beside each other', async ({ page }) => {
  await open(page, `#map=16/${LAT}/${LON}${QUIET}`);
  await page.touchscreen.tap(200, 300);
  await expect(page.locator('.features .card').first()).toBeVisible();
  const sheet = await box(page.getByRole('complementary', { name: 'Bảng thông tin' }));
  const names = ['Về trung tâm', 'Vị trí của tôi', 'Xoay bản đồ về hướng bắc', 'English', 'Giao diện tối'];
  const boxes = [];
  for (const name of names) {
    const button = page.getByRole('button', { name }).or(page.getByTitle(name)).first();
    await expect(button).toBeVisible();
    const found = await box(button);
    expect(found.height, name).toBeGreaterThanOrEqual(36);
    expect(found.y + found.height, `${name} above the sheet`).toBeLessThanOrEqual(sheet.y + 1);
    boxes.push({ name, ...found });
  }
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) {
      const apart =
        a.x + a.width <= b.x + 1 || b.x + b.width <= a.x + 1 || a.y + a.height <= b.y + 1 || b.y + b.height <= a.y + 1;
      expect(apart, `${a.name} and ${b.name}`).toBe(true);
    }
  }
});

test.describe('the own position', () => {
  test.use({ permissions: ['geolocation'], geolocation: { longitude: LON, latitude: LAT, accuracy: 25 } });

  test('has a dot, an accuracy and a commune', async ({ page }) => {
    await open(page, `#map=14/${LAT}/${LON}${QUIET}`);
    await page.getByRole('button', { name: 'Vị trí của tôi' }).tap();
    await expect(page.getByText('Bạn đang ở Phường Bến Thành (sai số khoảng 25 m).')).toBeVisible();
    await expect(page.locator('.whereabouts-dot')).toBeVisible();
  });
});

test.describe('a position in another city', () => {
  test.use({ permissions: ['geolocation'], geolocation: { longitude: 105.85, latitude: 21.03, accuracy: 10 } });

  test('is said, and the map stays', async ({ page }) => {
    await open(page, `#map=14/${LAT}/${LON}${QUIET}`);
    await page.getByRole('button', { name: 'Vị trí của tôi' }).tap();
    await expect(page.getByText(/Bạn đang ở ngoài phạm vi dữ liệu/)).toBeVisible();
    await idle(page);
    expect(new URL(page.url()).hash).toContain(`map=14`);
  });
});

test('statistics by touch: an area, its classes, the list, and a feature of it', async ({ page }) => {
  await open(page, `#map=17.5/${LAT}/${LON}${QUIET}`);
  await page.getByRole('tab', { name: 'Công cụ' }).tap();
  await page.getByRole('button', { name: 'Thống kê theo vùng' }).tap();
  for (const [x, y] of [
    [110, 330],
    [270, 330],
    [270, 480],
    [110, 480],
    [110, 330],
  ] as const) {
    await page.touchscreen.tap(x, y);
  }
  const use = page.locator('tbody:has(tr[data-layer="parcels"]) tr[data-code]').first().getByRole('button');
  await expect(use).toBeVisible();
  await use.scrollIntoViewIfNeeded();
  expect((await box(use)).height).toBeGreaterThanOrEqual(44);
  const pane = page.getByRole('tabpanel', { name: 'Công cụ' });
  expect(await pane.evaluate((element) => element.scrollWidth - element.clientWidth), 'the table fits').toBe(0);
  await use.tap();
  const feature = page
    .getByRole('region', { name: /^Thửa đất – / })
    .getByRole('listitem')
    .first()
    .getByRole('button');
  await feature.scrollIntoViewIfNeeded();
  expect((await box(feature)).height).toBeGreaterThanOrEqual(44);
  await feature.tap();
  await expect(page.locator('.chosen .name')).toContainText(/^Thửa \d+, tờ \d+/);
});
