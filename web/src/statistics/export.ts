/** Files of the statistics: tables for spreadsheets, and features for GIS programs. */
import type { Collection, Field } from '../lib/api';
import { fieldValue, localDay, titleText } from '../lib/format';
import type { Lang } from '../lib/i18n';
import { layerName } from '../lib/names';
import type { ListedFeature, Share, WithinAnswer } from '../lib/within';
import { valueRows } from './rows';
import { type StatsWords, valueText } from './words';

type Cell = string | number | null | undefined;

/**
 * A cell of a CSV file as the spreadsheets of the country read it: cells are separated by semicolons, and numbers have a
 * decimal comma. A text that a spreadsheet would read as a formula gets an apostrophe in front.
 */
function cell(value: Cell): string {
  if (typeof value === 'number') return String(value).replace('.', ',');
  const text = value && /^[=+\-@\t\r]/.test(value) ? `'${value}` : (value ?? '');
  return /[";\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The byte order mark without which spreadsheets do not recognise UTF-8, then the rows. */
const csv = (rows: Cell[][]): string => `\uFEFF${rows.map((row) => `${row.map(cell).join(';')}\r\n`).join('')}`;

/** Square metres and metres to a hundredth, as far as a certificate could state them. */
const rounded = (value: number | undefined) => (value === undefined ? null : Math.round(value * 100) / 100);

/** The figures of a share, in the order of {@link StatsWords.columns}. */
const figures = (share: Share): Cell[] => [
  share.count - (share.contacts ?? 0),
  share.whole,
  rounded(share.area?.value),
  share.share === undefined ? null : rounded(share.share * 100),
  rounded(share.fullArea?.value),
  rounded(share.length?.value),
  rounded(share.fullLength?.value),
];

/** The table of an area: a row for the area itself, one for each layer, and below it those of its values. */
export function statisticsCsv(
  answer: WithinAnswer,
  layers: Map<string, Collection>,
  lang: Lang,
  words: StatsWords,
): string {
  const method = answer.area.crs ?? answer.area.method;
  const { columns } = words;
  const rows: Cell[][] = [
    [
      columns.layer,
      columns.field,
      columns.value,
      ...columns.figures,
      columns.method,
      columns.dataDate,
      columns.revision,
    ],
    [words.area, '', '', null, null, rounded(answer.area.value), 100, null, null, null, method, '', answer.revision],
  ];
  for (const layer of answer.layers) {
    const collection = layers.get(layer.layer);
    const name = collection ? layerName(collection, lang) : layer.layer;
    const fields = collection?.citymap.fields ?? [];
    const end = [method, collection?.citymap.dataDate, answer.revision];
    rows.push([name, '', '', ...figures(layer), ...end]);
    let level = '';
    for (const row of valueRows(layer, fields)) {
      const text = valueText(row.value, row.field, lang, words);
      if (row.depth === 1) level = text;
      const value = row.depth === 2 ? `${level} / ${text}` : text;
      rows.push([name, titleText(row.field.title, lang, row.field.name), value, ...figures(row), ...end]);
    }
  }
  return csv(rows);
}

/** A value as a spreadsheet computes with it: numbers stay numbers, codes get their text. */
function plain(value: unknown, field: Field, lang: Lang): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' && !field.codeList) return value;
  // A day as 2026-01-31 is a date to every spreadsheet.
  if (field.type === 'date') return String(value);
  return fieldValue(value, field, lang);
}

/** The features of a layer in an area, each with all its values and the part of it that is inside. */
export function featuresCsv(features: ListedFeature[], layer: Collection, lang: Lang, words: StatsWords): string {
  const { fields } = layer.citymap;
  const titles = fields.map((field) => titleText(field.title, lang, field.name));
  const { id, whole, figures: named } = words.columns;
  return csv([
    [id, ...titles, whole, ...named.slice(2)],
    ...features.map((feature) => [
      String(feature.id),
      ...fields.map((field) => plain(feature.properties[field.name], field, lang)),
      feature.inside.whole > 0 ? words.yes : words.no,
      ...figures(feature.inside).slice(2),
    ]),
  ]);
}

/** The same features as GeoJSON, in full, with their parts inside as members of their own. */
export function featuresGeoJson(features: ListedFeature[]): string {
  const list = features.map(({ type, id, geometry, properties, inside }) => ({
    type,
    id,
    geometry,
    properties,
    inside,
  }));
  return JSON.stringify({ type: 'FeatureCollection', features: list });
}

/** Offers a text as a file, named by what it holds and the city's day. */
export function offer(text: string, what: string, ending: 'csv' | 'geojson'): void {
  const type = ending === 'csv' ? 'text/csv;charset=utf-8' : 'application/geo+json';
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `citymap-${what}-${localDay()}.${ending}`;
  link.click();
  // The browser reads it only after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
