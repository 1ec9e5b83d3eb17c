/** Printing: the frame on the map, and the PDF file of what is in it. */
import { CORE, expect, LIGHT, open, serious, test } from './page';

const [LON, LAT] = CORE;

test('what is in the frame is printed', async ({ page }) => {
  test.setTimeout(120_000);
  await open(page, `#map=17/${LAT}/${LON}&style=plan&level=qhpk${LIGHT}`);
  await page.getByRole('tab', { name: 'Công cụ' }).click();
  await page.getByRole('button', { name: 'In bản đồ' }).press('Enter');
  const frame = page.locator('.print-frame path');
  await expect(frame).toHaveAttribute('d', /M.+Z$/);
  const small = (await frame.getAttribute('d')) ?? '';
  const pane = page.getByRole('region', { name: 'In bản đồ' });
  await expect(pane.getByLabel('Kiểu bản đồ').getByRole('option').first()).toBeAttached();
  await pane.getByLabel('Tỷ lệ').selectOption({ label: '1:500' });
  await pane.getByLabel('Hướng giấy').selectOption('landscape');
  await expect(frame).not.toHaveAttribute('d', small);
  await expect(pane).toContainText(/Vùng in: 1\d\d × 9\d m/);
  // The frame follows the map.
  const before = await frame.getAttribute('d');
  await page.getByRole('button', { name: 'Phóng to' }).click();
  await expect(frame).not.toHaveAttribute('d', before ?? '');
  expect(await serious(page)).toEqual([]);
  const answered = page.waitForResponse((answer) => answer.url().endsWith('/api/processes/print/execution'));
  await pane.getByRole('button', { name: 'Tạo tệp PDF' }).click();
  const answer = await answered;
  const { inputs } = answer.request().postDataJSON() as { inputs: Record<string, unknown> };
  const asked = { scale: 500, paper: 'A4', orientation: 'landscape', lang: 'vi', style: 'plan', level: 'qhpk' };
  expect(inputs).toMatchObject(asked);
  const link = pane.getByRole('link', { name: 'Mở tệp PDF' });
  await expect(link).toHaveAttribute('href', /^blob:/);
  const text = await link.evaluate(async (own) => (await fetch((own as HTMLAnchorElement).href)).text());
  expect(text.slice(0, 8)).toBe('%PDF-1.7');
  await page.getByRole('button', { name: 'Đóng', exact: true }).click();
  await expect(frame).toHaveCount(0);
});
