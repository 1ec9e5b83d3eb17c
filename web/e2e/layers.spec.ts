/** The list of layers: groups, order, all on and off, what is shown at first, and why a layer cannot be seen. */
import type { Page } from '@playwright/test';
import { CORE, expect, idle, LIGHT, layers, open, serious, test } from './page';

const [LON, LAT] = CORE;
const HERE = `#map=16/${LAT}/${LON}`;
/** Only land and plans: quick to draw. */
const QUIET = '&off=buildings,addresses,street_lights,hydrants,drainage,power_lines,places,schools,reports_1022';

/** The ids of the style layers from bottom to top. */
const drawn = (page: Page) =>
  page.evaluate(() =>
    (window as unknown as { citymap: { map: { getLayersOrder: () => string[] } } }).citymap.map.getLayersOrder(),
  );

const listed = (page: Page) =>
  page.locator('[data-group] [data-layer]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-layer')));

const groups = (page: Page) =>
  page.locator('[data-group]').evaluateAll((list) => list.map((group) => group.getAttribute('data-group')));

async function isAbove(page: Page, upper: string, lower: string): Promise<boolean> {
  const order = await drawn(page);
  return order.indexOf(upper) > order.indexOf(lower);
}

test('networks, reports and places are hidden at first, and a link may show them', async ({ page, request }) => {
  await open(page, `${HERE}&off=parcels,buildings,addresses`);
  const hidden = [
    ...(await layers(request, 'utility')),
    ...(await layers(request, 'report')),
    ...(await layers(request, 'place')),
  ];
  expect(hidden.length).toBeGreaterThan(3);
  for (const { id } of hidden) await expect(page.locator(`#show-${id}`), id).not.toBeChecked();
  await expect(page.locator('#show-zones'), 'plans are another theme').not.toBeChecked();
  await expect(page.locator('#show-roads')).toBeChecked();
  await page.locator('#show-street_lights').check();
  await expect(page).toHaveURL(/on=street_lights/);
  await page.reload();
  await idle(page);
  await expect(page.locator('#show-street_lights')).toBeChecked();
  await expect(page.locator('#show-hydrants')).not.toBeChecked();
  await page.getByRole('button', { name: 'Về mặc định' }).click();
  await expect(page.locator('#show-street_lights')).not.toBeChecked();
  await expect(page.locator('#show-parcels')).toBeChecked();
  await expect(page).not.toHaveURL(/on=|off=/);
});

test('a group is switched and folded as one; all layers are switched at once', async ({ page }) => {
  await open(page, HERE + LIGHT);
  const land = page.getByRole('checkbox', { name: 'Hiện nhóm Địa chính, công trình' });
  await expect(land).not.toBeChecked();
  await land.check();
  for (const id of ['parcels', 'buildings', 'addresses']) await expect(page.locator(`#show-${id}`)).toBeChecked();
  await page.locator('#show-buildings').uncheck();
  expect(await land.evaluate((box: HTMLInputElement) => box.indeterminate)).toBe(true);
  const fold = page.getByRole('button', { name: /^Địa chính, công trình/ });
  await expect(fold).toContainText('2/3');
  await fold.click();
  await expect(fold).toHaveAttribute('aria-expanded', 'false');
  await expect(page.locator('#show-parcels')).toHaveCount(0);
  await page.getByRole('button', { name: 'Tắt tất cả' }).click();
  await expect(fold).toContainText('0/3');
  await expect(page.locator('#show-roads')).not.toBeChecked();
  await page.reload();
  await idle(page);
  await expect(fold, 'the browser keeps what is folded').toHaveAttribute('aria-expanded', 'false');
  await fold.click();
  await page.getByRole('button', { name: 'Bật tất cả' }).click();
  await expect(page.locator('#show-parcels')).toBeChecked();
  await expect(page.locator('#show-street_lights')).toBeChecked();
  expect(await serious(page)).toEqual([]);
});

test('areas that are moved above the parcels are drawn above them, by link and in this browser', async ({ page }) => {
  await open(page, HERE + QUIET);
  expect(await isAbove(page, 'parcels/fill', 'communes/fill')).toBe(true);
  const up = page.getByRole('button', { name: 'Chuyển Hành chính lên trên' });
  await up.focus();
  for (const place of [3, 2, 1]) {
    await page.keyboard.press('Enter');
    await expect(page.getByText(new RegExp(`^Hành chính: vị trí ${place} trong \\d$`))).toBeAttached();
  }
  expect((await groups(page)).slice(0, 2)).toEqual(['administration', 'land']);
  const focused = () =>
    page.evaluate(() => document.activeElement?.closest('[data-group]')?.getAttribute('data-group'));
  await expect.poll(focused, 'the focus stays in the group').toBe('administration');
  await expect.poll(() => isAbove(page, 'communes/fill', 'parcels/fill')).toBe(true);
  expect(await isAbove(page, 'parcels/line', 'communes/fill'), 'borders stay legible').toBe(true);
  await expect(page).toHaveURL(/order=communes,/);
  // The link, in a browser that has kept nothing.
  const link = page.url();
  await page.evaluate(() => localStorage.clear());
  await page.goto('/');
  await page.goto(link);
  await page.reload();
  await idle(page);
  expect((await groups(page))[0]).toBe('administration');
  // A bare address begins with what this browser has kept.
  await page.getByRole('button', { name: 'Chuyển Giao thông lên trên' }).click();
  const kept = await groups(page);
  await page.goto('about:blank');
  await page.goto('/');
  await idle(page);
  expect(await groups(page)).toEqual(kept);
  await page.getByRole('button', { name: 'Về mặc định' }).click();
  expect((await groups(page)).slice(0, 2)).toEqual(['land', 'planning']);
  await expect(page).not.toHaveURL(/order=/);
});

test('layers are moved by keyboard, by buttons and by dragging', async ({ page }) => {
  await open(page, HERE + QUIET);
  const land = async () => (await listed(page)).slice(0, 3);
  const box = page.locator('#show-buildings');
  await box.focus();
  await page.keyboard.press('Alt+ArrowUp');
  await expect.poll(land).toEqual(['buildings', 'parcels', 'addresses']);
  await expect(box, 'the focus stays').toBeFocused();
  await page.keyboard.press('Alt+ArrowUp');
  expect(await land()).toEqual(['buildings', 'parcels', 'addresses']);
  await page.getByRole('button', { name: 'Chuyển Thửa đất xuống dưới' }).click();
  await expect.poll(land).toEqual(['buildings', 'addresses', 'parcels']);
  const row = (id: string) => page.locator(`[data-layer="${id}"]`);
  // The themes stand above the layers: the rows may lie below the end of the panel.
  await row('addresses').locator('.handle').scrollIntoViewIfNeeded();
  const grip = (await row('addresses').locator('.handle').boundingBox())!;
  const target = (await row('buildings').boundingBox())!;
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  await page.mouse.move(grip.x, target.y + 20);
  await page.mouse.move(grip.x, target.y + 2);
  await expect(row('buildings')).toHaveAttribute('data-mark', 'before');
  // Escape leaves everything as it is.
  await page.keyboard.press('Escape');
  await page.mouse.up();
  expect(await land()).toEqual(['buildings', 'addresses', 'parcels']);
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  await page.mouse.move(grip.x, target.y + 2);
  await page.mouse.up();
  await expect.poll(land).toEqual(['addresses', 'buildings', 'parcels']);
});

test('a layer says whether it is hidden, too far away, or has nothing in view', async ({ page }) => {
  await open(page, `#map=12/${LAT}/${LON}&off=parcels&on=zones`);
  const details = (id: string) => page.locator(`#details-${id}`);
  await page.getByRole('button', { name: /^Chi tiết .* Công trình$/ }).click();
  await expect(details('buildings')).toContainText('Chỉ hiện từ tỷ lệ 1/4.400 trở lên.');
  await expect(details('parcels')).toContainText('Lớp đang tắt.');
  await page.getByRole('button', { name: /^Chi tiết .* Ô chức năng quy hoạch$/ }).click();
  await expect(details('zones')).toContainText('Chú giải');
  // Out at sea.
  await page.goto(`/#map=15/9.2/107.4&off=parcels&on=zones`);
  await page.reload();
  await idle(page);
  await page.getByRole('button', { name: /^Chi tiết .* Ô chức năng quy hoạch$/ }).click();
  await expect(details('zones')).toContainText('Không có đối tượng nào trong khung nhìn.');
  await page.locator('#show-zones').uncheck();
  await expect(details('zones')).toContainText('Lớp đang tắt.');
  await expect(details('zones')).not.toContainText('Không có đối tượng');
});

test('in English too', async ({ page }) => {
  await open(page, `${HERE}${QUIET}&lang=en`);
  await expect(page.getByRole('checkbox', { name: 'Show the group Land and buildings' })).toBeVisible();
  await page.getByRole('button', { name: 'Move Transport up' }).click();
  await expect(page.getByText(/^Transport: position 2 of \d$/)).toBeAttached();
  await page.getByRole('button', { name: 'All off' }).click();
  await expect(page.locator('#show-parcels')).not.toBeChecked();
  await page.getByRole('button', { name: 'Default' }).click();
  await expect(page.locator('#show-parcels')).toBeChecked();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('a group is dragged by touch, and the list still scrolls', async ({ page }) => {
    await open(page, HERE + QUIET);
    const height = page.getByRole('button', { name: 'Đổi chiều cao bảng' });
    await height.tap();
    await height.tap();
    const head = (id: string) => page.locator(`[data-group="${id}"] .head`);
    await expect.poll(async () => (await head('land').boundingBox())!.y).toBeLessThan(400);
    for (const control of ['.handle', '.step', '.fold']) {
      const { height: tall } = (await head('land').locator(control).first().boundingBox())!;
      expect(tall, control).toBeGreaterThanOrEqual(44);
    }
    // With its details open the list of a phone is long: the first group is folded.
    await head('land').locator('.fold').tap();
    const client = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', x = 0, y = 0) =>
      client.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y }] });
    const grip = (await head('planning').locator('.handle').boundingBox())!;
    const [x, from] = [grip.x + grip.width / 2, grip.y + grip.height / 2];
    const to = (await head('land').boundingBox())!.y + 4;
    await touch('touchStart', x, from);
    for (let step = 1; step <= 5; step += 1) await touch('touchMove', x, from + ((to - from) * step) / 5);
    await expect(page.locator('[data-group="land"]')).toHaveAttribute('data-mark', 'before');
    await touch('touchEnd');
    await expect.poll(async () => (await groups(page))[0]).toBe('planning');
    await expect(page).toHaveURL(/order=zones,/);
    expect(await serious(page)).toEqual([]);
    // A touch beside the handles scrolls.
    const pane = page.getByRole('tabpanel', { name: 'Lớp dữ liệu' });
    await touch('touchStart', 120, 600);
    for (let step = 1; step <= 8; step += 1) await touch('touchMove', 120, 600 - step * 30);
    await touch('touchEnd');
    await expect.poll(() => pane.evaluate((element) => element.scrollTop)).toBeGreaterThan(20);
  });
});
