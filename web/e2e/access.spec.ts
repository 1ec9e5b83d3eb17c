/** Accessibility: keyboard, phone, and a server that cannot be reached. What axe says is in `axe.spec.ts`. */
import { CORE, expect, idle, knownParcel, LIGHT, open, pixel, test } from './page';

test('the whole way by keyboard: skip to the map, zoom, ask, close', async ({ page }) => {
  const [lon, lat] = CORE;
  await open(page, `#map=18/${lat}/${lon}${LIGHT}`);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Đến bản đồ' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('canvas.maplibregl-canvas')).toBeFocused();
  await page.keyboard.press('=');
  await expect(page.getByText('Tỷ lệ 1/550')).toBeVisible();
  await idle(page);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Tại điểm này' })).toBeVisible();
  await expect(page).toHaveURL(/at=/);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('tab', { name: 'Lớp dữ liệu' })).toHaveAttribute('aria-selected', 'true');
});

test('tabs and layer switches work by keyboard', async ({ page }) => {
  await open(page);
  await page.getByRole('tab', { name: 'Lớp dữ liệu' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('tab', { name: 'Đang chọn' })).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  const box = page.locator('#show-roads');
  await box.focus();
  await page.keyboard.press('Space');
  await expect(box).not.toBeChecked();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });

  test('the panel is a sheet with three heights, and a tap answers', async ({ page, request }) => {
    const { point } = await knownParcel(request);
    await open(page, `#map=19/${point[1]}/${point[0]}`);
    const panel = page.getByRole('complementary');
    const height = async () => (await panel.boundingBox())!.height;
    await expect.poll(height).toBeLessThan(90);
    const at = await pixel(page, point);
    await page.touchscreen.tap(at.x, at.y);
    await expect(page.locator('.chosen')).toBeVisible();
    await expect.poll(height).toBeGreaterThan(300);
    await page.getByRole('button', { name: 'Đổi chiều cao bảng' }).click();
    await expect.poll(height).toBeGreaterThan(600);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});

test('a server that goes away is announced, and so is its return', async ({ page, watched }) => {
  await open(page);
  await page.route('**/health/ready', (route) => route.fulfill({ status: 503 }));
  await expect(page.getByText(/Mất kết nối/)).toBeVisible({ timeout: 40_000 });
  await page.unroute('**/health/ready');
  await expect(page.getByText(/Đã kết nối lại/)).toBeVisible({ timeout: 20_000 });
  // The browser itself reports the answers that this test made up, and nothing else went wrong.
  expect(watched.every((line) => line.includes('503') && line.includes('/health/ready'))).toBe(true);
  watched.length = 0;
});
