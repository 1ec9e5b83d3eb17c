/** The styles of the server (OGC API – Styles), as another client of MapLibre sees them. */
import { type StyleSpecification, validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { expect, test } from './page';

interface StyleList {
  styles: { id: string; links: { rel: string; href: string }[] }[];
}

test('every style of the demo city is valid, light and dark, in both languages', async ({ request }) => {
  const list = (await (await request.get('/api/styles')).json()) as StyleList;
  expect(list.styles.map((style) => style.id)).toEqual(['cadastre', 'plan', 'streets', 'utilities', 'grey']);
  for (const { id, links } of list.styles) {
    const address = links.find((link) => link.rel === 'stylesheet')?.href ?? '';
    for (const appearance of ['light', 'dark']) {
      for (const lang of ['vi', 'en']) {
        const answer = await request.get(`${address}&appearance=${appearance}&lang=${lang}`);
        expect(answer.headers()['content-type']).toBe('application/vnd.mapbox.style+json');
        const style = (await answer.json()) as StyleSpecification;
        expect(validateStyleMin(style), `${id} ${appearance} ${lang}`).toEqual([]);
      }
    }
  }
});
