/** How wide a road is drawn, and its rank among the roads, as expressions of the style. */
import type { ExpressionSpecification } from 'maplibre-gl';
import { type Collection, type Field, fieldWith } from '../lib/api';

/** The classes of each rank, 0 motorway … 4 alley: the city's codes and OpenStreetMap's. */
const RANKS: string[][] = [
  ['cao_toc', 'motorway', 'motorway_link', 'expressway'],
  ['quoc_lo', 'duong_chinh', 'truc_chinh', 'vanh_dai', 'trunk', 'trunk_link', 'primary', 'primary_link', 'arterial'],
  ['lien_khu_vuc', 'khu_vuc', 'secondary', 'secondary_link', 'collector', 'tertiary', 'tertiary_link'],
  [
    'phan_khu_vuc',
    'noi_bo',
    'nhom_nha_o',
    'duong_pho',
    'local',
    'residential',
    'unclassified',
    'living_street',
    'road',
  ],
  [
    'hem',
    'dat_nong_thon',
    'alley',
    'service',
    'footway',
    'path',
    'track',
    'pedestrian',
    'steps',
    'cycleway',
    'ngo',
    'kiet',
  ],
];

/** The width of a road's line in pixels at a zoom level, at least, by rank; between two levels it doubles with each. */
export const MIN_WIDTHS: [zoom: number, widths: number[]][] = [
  [8, [1.1, 0.7, 0.4, 0.2, 0.1]],
  [12, [2.4, 1.7, 1.1, 0.6, 0.3]],
  [15, [6, 4.8, 3.4, 2.2, 1.1]],
  [22, [40, 40, 40, 40, 20]],
];

/** The highest rank of the roads that are drawn from a zoom level on. */
export const RANKS_SHOWN: [zoom: number, rank: number][] = [
  [0, 1],
  [10, 2],
  [12, 3],
  [14, 4],
];

/** The width of a carriageway in metres, by rank, where the data has none. */
const USUAL_WIDTH = [22, 15, 10, 7, 3.5];

const classField = (collection: Collection): Field | undefined =>
  collection.citymap.fields.find((field) => field.codeList?.id === 'road_class') ?? fieldWith(collection, 'road_class');

/** The rank of a road by the properties that tiles have of it in far views, which are its class and its name. */
export function rankByClass(collection: Collection): (properties: Record<string, unknown>) => number {
  const field = classField(collection)?.name;
  const ranks = new Map(RANKS.flatMap((values, rank) => values.map((value) => [value, rank] as const)));
  return (properties) => (field === undefined ? undefined : ranks.get(String(properties[field]))) ?? 3;
}

/** The rank of a road, 0 motorway … 4 alley: by its class, or by its right-of-way, or else that of a local street. */
export function roadRank(collection: Collection): ExpressionSpecification | number {
  const row = fieldWith(collection, 'right_of_way');
  const byWidth: ExpressionSpecification | number = row
    ? ['step', ['to-number', ['coalesce', ['get', row.name], 12], 12], 4, 6, 3, 20, 2, 30, 1, 60, 0]
    : 3;
  const field = classField(collection);
  if (!field) return byWidth;
  const cases = RANKS.flatMap((values, rank) => [values, rank]);
  return ['match', ['to-string', ['get', field.name]], ...cases, byWidth] as unknown as ExpressionSpecification;
}

/** Pixels per metre at zoom `z` and latitude `lat` (512-pixel tiles). */
export const pixelsPerMetre = (z: number, lat: number): number =>
  (512 * 2 ** z) / (40_075_016.686 * Math.cos((lat * Math.PI) / 180));

const byRank = (rank: ExpressionSpecification | number, values: number[]): ExpressionSpecification =>
  ['match', rank, 0, values[0], 1, values[1], 2, values[2], 3, values[3], values[4]] as ExpressionSpecification;

/**
 * The width of a road's line in pixels: that of the carriageway from about zoom 16 on, and never less than a minimum by
 * rank and zoom. `extra` pixels are added for the casing.
 */
export function roadWidth(collection: Collection, lat: number, extra: number): ExpressionSpecification {
  const rank = roadRank(collection);
  const field = fieldWith(collection, 'width');
  const usual = byRank(rank, USUAL_WIDTH);
  const metres: ExpressionSpecification = field
    ? ['to-number', ['coalesce', ['get', field.name], usual], usual]
    : usual;
  const at = (zoom: number, minimum: number[]): ExpressionSpecification => [
    '+',
    extra,
    ['max', byRank(rank, minimum), ['*', metres, pixelsPerMetre(zoom, lat)]],
  ];
  return [
    'interpolate',
    ['exponential', 2],
    ['zoom'],
    ...MIN_WIDTHS.flatMap(([zoom, widths]) => [zoom, at(zoom, widths)]),
  ] as unknown as ExpressionSpecification;
}

/** The width of the right-of-way in pixels, between the two lines that bound it; `null` if the data has none. */
export function rightOfWayWidth(collection: Collection, lat: number): ExpressionSpecification | null {
  const field = fieldWith(collection, 'right_of_way');
  if (!field) return null;
  const metres: ExpressionSpecification = ['to-number', ['get', field.name], 0];
  return [
    'interpolate',
    ['exponential', 2],
    ['zoom'],
    14,
    ['*', metres, pixelsPerMetre(14, lat)],
    22,
    ['*', metres, pixelsPerMetre(22, lat)],
  ];
}
