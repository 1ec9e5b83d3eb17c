// Walks through eighteen jobs of planners, hotline clerks and citizens on the demo city, in Chromium, and prints for each:
// actions (clicks, taps and key presses; typing into a field is one), seconds from the first action to the answer, and
// whether the answer was right, judged by what the server's interface says about the same thing.
//
//     node scripts/jobs.mjs ../target/release/citymap [a b m …]
//
// Seconds depend on the machine: headless Chromium draws the map in software.
import { execFileSync } from 'node:child_process';
import { devices } from '@playwright/test';
import { launch } from './browser.mjs';
import { demoCity } from './democity.mjs';

const CORE = [106.698, 10.7725];
const DESKTOP = { viewport: { width: 1440, height: 900 }, locale: 'vi-VN', timezoneId: 'Asia/Ho_Chi_Minh' };
const PHONE = { ...devices['Pixel 7'], locale: 'vi-VN', timezoneId: 'Asia/Ho_Chi_Minh' };

const { url, server, token, stop } = await demoCity(process.argv[2]);
const wanted = process.argv.slice(3);
const browser = await launch();

const ask = async (path) => {
  const answer = await fetch(`${url}${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};
const { collections } = await ask('/api/collections');
const layerOf = (role) => collections.find((layer) => layer.citymap.role === role);
const parcels = layerOf('parcel');
const meant = (layer, feature, meaning) =>
  String(feature.properties[layer.citymap.fields.find((field) => field.meaning === meaning)?.name] ?? '');
const around = ([lon, lat], degrees) => [lon - degrees, lat - degrees, lon + degrees, lat + degrees].join(',');
/** A point inside a polygon of the demo city: the mean of its corners, which are all convex enough. */
const middle = ({ coordinates: [ring] }) => {
  const corners = ring.slice(1);
  return [0, 1].map((axis) => corners.reduce((sum, at) => sum + at[axis], 0) / corners.length);
};
const items = async (layer, query) => (await ask(`/api/collections/${layer.id}/items?${query}`)).features;
const [parcel] = await items(parcels, `bbox=${around(CORE, 0.003)}&limit=1`);
const at = middle(parcel.geometry);
/** A parcel that a right-of-way cuts, and that is wide enough to be clicked beside it. */
const cut = await (async () => {
  for (const feature of await items(parcels, `bbox=${around(CORE, 0.003)}&limit=60`)) {
    const path = `/api/parcels/${encodeURIComponent(feature.id)}/report?layer=${parcels.id}`;
    const { rightOfWay } = await ask(path);
    if (rightOfWay.status === 'touched' && rightOfWay.remaining > 2 * rightOfWay.cut) return feature;
  }
  return parcel;
})();
const name = `Thửa ${meant(parcels, parcel, 'parcel_number')}, tờ ${meant(parcels, parcel, 'sheet')}`;

/** One walk: a page, and what its user did. */
class Walk {
  constructor(page) {
    this.page = page;
    this.actions = 0;
    this.began = 0;
  }
  #act() {
    this.actions += 1;
    this.began ||= performance.now();
  }
  async open(hash = '') {
    await this.page.goto(`${url}/${hash}`);
    await this.idle();
  }
  async idle() {
    await this.page.waitForSelector('html[data-map-idle="true"]', { timeout: 90_000 });
  }
  async click(locator) {
    this.#act();
    await locator.click();
  }
  async tap(locator) {
    this.#act();
    await locator.tap();
  }
  async type(locator, text) {
    this.#act();
    await locator.fill(text);
  }
  async choose(locator, label) {
    this.#act();
    await locator.selectOption({ label });
  }
  async press(key) {
    this.#act();
    await this.page.keyboard.press(key);
  }
  async clickMap(point) {
    const { x, y } = await this.pixel(point);
    this.#act();
    await this.page.mouse.click(x, y);
  }
  async tapMap(point) {
    const { x, y } = await this.pixel(point);
    this.#act();
    await this.page.touchscreen.tap(x, y);
  }
  pixel(point) {
    return this.page.evaluate((lonlat) => {
      const { x, y } = window.citymap.map.project(lonlat);
      return { x, y };
    }, point);
  }
  /** Whether something appears in time. */
  async sees(locator, timeout = 15_000) {
    return locator
      .first()
      .waitFor({ timeout })
      .then(
        () => true,
        () => false,
      );
  }
  get search() {
    return this.page.getByRole('combobox');
  }
  get title() {
    return this.page.locator('.chosen .name');
  }
  async find(text) {
    await this.type(this.search, text);
    await this.page.getByRole('option').first().waitFor({ timeout: 15_000 });
    await this.press('Enter');
    await this.title.waitFor({ timeout: 15_000 });
    return (await this.title.textContent()).trim();
  }
}

/** The first result of a search, as the box shows it, after what it says of a place in which nothing matches. */
async function first(walk, text) {
  await walk.search.fill('');
  await walk.type(walk.search, text);
  const option = walk.page.getByRole('option').first();
  const found = await walk.sees(option, 5_000);
  if (!found) return '';
  const elsewhere = walk.page.getByText(/^Không có kết quả trong .* Kết quả ở nơi khác:$/);
  const told = (await elsewhere.count()) > 0 ? `${await elsewhere.first().textContent()} ` : '';
  return told + (await option.textContent()).trim();
}

const tool = async (walk, label) => {
  await walk.click(walk.page.getByRole('tab', { name: 'Công cụ' }));
  await walk.click(walk.page.getByRole('button', { name: label }));
};
const LIGHT = '&off=parcels,buildings,addresses';
const square = (half) =>
  [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
    [-1, -1],
  ].map(([x, y]) => [CORE[0] + x * half, CORE[1] + y * half]);

const JOBS = {
  a: [
    'a parcel by commune, sheet and number',
    async (walk) => {
      await walk.open();
      const found = await walk.find(
        `${meant(parcels, parcel, 'parcel_number')} ${meant(parcels, parcel, 'sheet')} Bến Thành`,
      );
      return { right: found.startsWith('Thửa') && found.endsWith('Phường Bến Thành'), note: found };
    },
  ],
  b: [
    'what is planned on it, with areas',
    async (walk) => {
      await walk.open(`#map=18/${at[1]}/${at[0]}`);
      await walk.clickMap(at);
      const zones = await walk.sees(
        walk.page
          .getByRole('tabpanel', { name: /Đang chọn/ })
          .getByText('Ô chức năng')
          .first(),
      );
      const pieces = await walk.sees(walk.page.locator('[data-planned] tr'), 500);
      return {
        right: zones && pieces,
        note: pieces ? 'pieces with areas' : 'the zones are listed, without areas of pieces',
      };
    },
  ],
  c: [
    'what the right-of-way cuts off',
    async (walk) => {
      const id = encodeURIComponent(cut.id);
      const { rightOfWay } = await ask(`/api/parcels/${id}/report?layer=${parcels.id}`);
      const spot = middle(cut.geometry);
      await walk.open(`#map=18/${spot[1]}/${spot[0]}`);
      await walk.clickMap(spot);
      const row = walk.page.locator('[data-cut]');
      const seen = await walk.sees(row);
      const text = seen ? (await row.textContent()).trim().replace(/\s+/g, ' ') : 'nothing';
      const area = rightOfWay.cut.toLocaleString('vi-VN', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
      return { right: text.includes(`${area} m²`), note: `${text}; ${area} m² by the interface` };
    },
  ],
  d: [
    'the map on an earlier day, and on one before the record',
    async (walk) => {
      await walk.open(`#map=17/${CORE[1]}/${CORE[0]}${LIGHT}`);
      await tool(walk, /^Lịch sử/);
      const day = walk.page.getByRole('tabpanel', { name: 'Công cụ' }).locator('input').first();
      await walk.type(day, '01/01/2001');
      await walk.press('Enter');
      const said = walk.page.getByText(/trước (khi|ngày).*(ghi|dữ liệu)|chưa có dữ liệu|Dữ liệu bắt đầu/i);
      return { right: await walk.sees(said), note: 'a day before the record says so' };
    },
  ],
  e: [
    'what is in a drawn area, by code',
    async (walk) => {
      await walk.open(`#map=17/${CORE[1]}/${CORE[0]}${LIGHT}`);
      await tool(walk, 'Thống kê theo vùng');
      for (const point of square(0.0006)) await walk.clickMap(point);
      const row = walk.page.locator(`tr[data-layer="${parcels.id}"]`);
      const seen = await walk.sees(row);
      const body = JSON.stringify({ type: 'Polygon', coordinates: [square(0.0006)] });
      const answer = await fetch(`${url}/api/within?layers=${parcels.id}`, {
        method: 'POST',
        headers: { 'content-type': 'application/geo+json' },
        body,
      });
      const { layers } = await answer.json();
      const shown = Number((await row.getByRole('cell').first().textContent()).replace(/\D/g, ''));
      const codes = await walk.page.locator('[data-code]').count();
      // The corners are pixels: a parcel at the very border may fall on the other side.
      const right = seen && Math.abs(shown - layers[0].count) <= 2 && codes > 0;
      return { right, note: `${shown} parcels, ${layers[0].count} by the interface; ${codes} rows by code` };
    },
  ],
  f: [
    'measure an area above a hectare',
    async (walk) => {
      await walk.open(`#map=17/${CORE[1]}/${CORE[0]}${LIGHT}`);
      await tool(walk, 'Đo khoảng cách, diện tích');
      for (const point of square(0.0006)) await walk.clickMap(point);
      const area = walk.page.locator('.measured-area');
      await walk.sees(area);
      const text = await area.textContent();
      return { right: /^\d{2}\.\d{3},\d m²/.test(text), note: text };
    },
  ],
  g: [
    'all layers off, one on',
    async (walk) => {
      await walk.open(`#map=15/${CORE[1]}/${CORE[0]}`);
      await walk.click(walk.page.getByRole('button', { name: /^(Tắt tất cả|Tắt hết)/ }));
      await walk.click(walk.page.locator('#show-roads'));
      const shown = await walk.page.locator('input[id^="show-"]:checked').count();
      return { right: shown === 1, note: `${shown} layer is on` };
    },
  ],
  h: [
    'print at an exact scale',
    async (walk) => {
      await walk.open(`#map=17/${CORE[1]}/${CORE[0]}`);
      await tool(walk, 'In bản đồ');
      const pane = walk.page.getByRole('region', { name: 'In bản đồ' });
      await walk.choose(pane.getByLabel('Tỷ lệ'), '1:500');
      await walk.click(pane.getByRole('button', { name: 'Tạo tệp PDF' }));
      const link = pane.getByRole('link', { name: 'Mở tệp PDF' });
      if (!(await walk.sees(link, 60_000))) return { right: false, note: 'no file' };
      const data = await link.evaluate(async (own) => {
        const bytes = new Uint8Array(await (await fetch(own.href)).arrayBuffer());
        return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
      });
      const text = execFileSync('pdftotext', ['-', '-'], { input: Buffer.from(data, 'base64') }).toString();
      const scale = /Tỷ lệ 1:[\d.]+/.exec(text)?.[0] ?? 'no scale on the sheet';
      return { right: scale === 'Tỷ lệ 1:500', note: scale };
    },
  ],
  i: [
    'a link that shows the same elsewhere',
    async (walk) => {
      await walk.open(`#map=18/${at[1]}/${at[0]}&lang=vi`);
      await walk.clickMap(at);
      await walk.sees(walk.title);
      const before = (await walk.title.textContent()).trim();
      const link = walk.page.url();
      await walk.page.goto('about:blank');
      await walk.page.goto(link);
      await walk.sees(walk.title);
      const after = (await walk.title.textContent()).trim();
      return { right: before === after && before.startsWith(name), note: after };
    },
  ],
  j: ['an own file to look at', null],
  k: [
    'edit; another window follows; a wrong token',
    async (walk) => {
      const layer = layerOf('parcel');
      const hash = `#map=19/${at[1]}/${at[0]}${LIGHT}&at=${at.join(',')}&sel=${layer.id}:${encodeURIComponent(parcel.id)}`;
      const second = new Walk(await walk.page.context().newPage());
      await second.open(hash);
      await walk.open(hash);
      await tool(walk, 'Chỉnh sửa dữ liệu');
      await walk.type(walk.page.getByLabel('Mã quyền chỉnh sửa'), 'wrong');
      await walk.click(walk.page.getByRole('button', { name: 'Dùng mã này' }));
      const refused = await walk.sees(walk.page.getByText('Máy chủ không chấp nhận mã này'), 5_000);
      await walk.type(walk.page.getByLabel('Mã quyền chỉnh sửa'), token);
      await walk.click(walk.page.getByRole('button', { name: 'Dùng mã này' }));
      await walk.click(walk.page.getByRole('tab', { name: /Đang chọn/ }));
      await walk.click(walk.page.locator('.chosen').getByRole('button', { name: 'Sửa', exact: true }));
      const form = walk.page.getByRole('form', { name: 'Sửa' });
      const text = `Kiểm thử ${Date.now()}`;
      await walk.type(form.getByLabel('Địa chỉ'), text);
      await walk.click(form.getByRole('button', { name: 'Lưu' }));
      const follows = await second.sees(second.page.locator('.chosen').getByText(text));
      await second.page.close();
      const note = `${refused ? 'wrong token refused at once' : 'wrong token accepted'}, other window ${follows ? 'follows' : 'does not follow'}`;
      return { right: refused && follows, note };
    },
  ],
  l: ['table, filter, selection by attribute', null],
  m: [
    'search as people write',
    async (walk) => {
      await walk.open();
      const communes = ['Ben Thanhh', 'benthanh', 'bnế thành'];
      const asked = [
        ...communes.map((text) => [text, /Phường Bến Thành/]),
        ['UBND Phường Bến Thành', /Bến Thành/],
        ['X 1.191.562,33 · Y 602.941,92', /1\.191\.562|10[.,]77/],
        ['tờ 1 thửa 45 xã Cần Giờ', /Cần Giờ/],
      ];
      const wrong = [];
      for (const [text, expected] of asked) {
        const found = await first(walk, text);
        if (!expected.test(found)) wrong.push(`${text} → ${found || 'nothing'}`);
      }
      return { right: wrong.length === 0, note: wrong.join('; ') || `${asked.length} of ${asked.length} searches` };
    },
  ],
  n: [
    'hotline: what is this hydrant',
    async (walk) => {
      const layer = collections.find(({ id }) => id === 'hydrants');
      const [hydrant] = await items(layer, `bbox=${around(CORE, 0.004)}&limit=1`);
      const point = hydrant.geometry.coordinates;
      await walk.open(`#map=18/${point[1]}/${point[0]}&on=hydrants`);
      await walk.clickMap(point);
      await walk.sees(walk.title);
      return { right: /sel=hydrants:/.test(walk.page.url()), note: (await walk.title.textContent()).trim() };
    },
  ],
  o: [
    'on a phone: a tapped result is what opens; where am I',
    async (walk) => {
      await walk.open(`#map=14/${CORE[1]}/${CORE[0]}`);
      await walk.tap(walk.search);
      await walk.type(walk.search, 'ben thanh');
      await walk.tap(walk.page.getByRole('option', { name: /^Phường Bến Thành/ }).first());
      await walk.sees(walk.title);
      const found = (await walk.title.textContent()).trim();
      await walk.tap(walk.page.getByRole('button', { name: 'Vị trí của tôi' }));
      const here = await walk.sees(walk.page.getByText(/Bạn đang ở Phường/));
      return {
        right: found === 'Phường Bến Thành' && here,
        note: `${found}; ${here ? 'commune of the position' : 'no position'}`,
      };
    },
    PHONE,
  ],
  p: [
    'keyboard alone: ask at the centre, hear the answer',
    async (walk) => {
      await walk.open(`#map=18/${at[1]}/${at[0]}${LIGHT}`);
      await walk.page.locator('canvas.maplibregl-canvas').focus();
      await walk.press('Enter');
      await walk.sees(walk.title);
      const announced = await walk.page
        .locator('[aria-live], [role="status"]')
        .allTextContents()
        .then((texts) => texts.some((text) => /Thửa|kết quả|đối tượng/.test(text)));
      return { right: announced, note: announced ? 'announced' : 'not announced' };
    },
  ],
  q: [
    'a server that hangs',
    async (walk) => {
      if (!server) return { right: false, note: 'not tried: the server was not started here' };
      await walk.open(`#map=18/${at[1]}/${at[0]}${LIGHT}`);
      server.kill('SIGSTOP');
      try {
        await walk.clickMap(at);
        const said = await walk.sees(walk.page.getByText(/máy chủ/i), 4_000);
        const seconds = ((performance.now() - walk.began) / 1000).toFixed(1);
        return { right: said, note: said ? `said after ${seconds} s` : 'nothing said for 4 s' };
      } finally {
        server.kill('SIGCONT');
      }
    },
  ],
  r: ['compare two states side by side', null],
};

console.log('| job | actions | seconds | right | what was seen |');
console.log('|---|---|---|---|---|');
try {
  for (const [id, [title, walk, device = DESKTOP]] of Object.entries(JOBS)) {
    if (wanted.length > 0 && !wanted.includes(id)) continue;
    if (!walk) {
      console.log(`| ${id} ${title} | – | – | – | the page does not offer it |`);
      continue;
    }
    const context = await browser.newContext({
      ...device,
      permissions: ['geolocation'],
      geolocation: { longitude: CORE[0], latitude: CORE[1], accuracy: 25 },
    });
    const own = new Walk(await context.newPage());
    own.page.setDefaultTimeout(20_000);
    let result;
    try {
      result = await walk(own);
    } catch (error) {
      result = { right: false, note: String(error.message).split('\n')[0] };
    }
    const seconds = own.began ? ((performance.now() - own.began) / 1000).toFixed(1) : '–';
    console.log(
      `| ${id} ${title} | ${own.actions} | ${seconds} | ${result.right ? 'yes' : '**no**'} | ${result.note} |`,
    );
    await context.close();
  }
} finally {
  await browser.close();
  stop();
}
