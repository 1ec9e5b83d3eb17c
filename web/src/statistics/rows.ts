/** The rows of the table of an area: layers, levels of plans, and the values by which they are divided. */
import type { Field, Measure } from '../lib/api';
import type { LayerShare, Share, ShareGroup } from '../lib/within';
import { levelRank } from '../page/order';

/** A row below a layer. */
export interface ValueRow extends Share {
  /** 1 below the layer, 2 below a level. */
  depth: 1 | 2;
  /** The field that the row tells apart, and its value. */
  field: Field;
  value: unknown;
  /** The values that all features of the row have. */
  values: Record<string, unknown>;
}

/** The number of features that have a part in the area. */
export const inArea = (share: Share): number => share.count - (share.contacts ?? 0);

/**
 * How far a sum may be above the area before features must overlap: half of what is shown, in m², and of large areas the
 * part by which two ways of projecting them may differ.
 */
const tolerance = (area: number) => Math.max(0.05, 1e-6 * area);

/** Whether features overlap in the area, so that the sum of their parts is no size of anything. */
export const overlaps = (share: Share, area: Measure): boolean =>
  (share.area?.value ?? 0) > area.value + tolerance(area.value);

/** What a row shows as its size: of the parts inside, or of the features in full; an area before a length. */
export const sizeOf = (share: Share, full: boolean): Measure | undefined =>
  full ? (share.fullArea ?? share.fullLength) : (share.area ?? share.length);

const sum = (a: Measure | undefined, b: Measure | undefined) =>
  a && b ? { ...a, value: a.value + b.value } : (a ?? b);

function total(shares: Share[]): Share {
  return shares.reduce<Share>(
    (a, b) => ({
      count: a.count + b.count,
      whole: a.whole + b.whole,
      contacts: a.contacts + b.contacts,
      area: sum(a.area, b.area),
      length: sum(a.length, b.length),
      fullArea: sum(a.fullArea, b.fullArea),
      fullLength: sum(a.fullLength, b.fullLength),
      share: a.share === undefined && b.share === undefined ? undefined : (a.share ?? 0) + (b.share ?? 0),
    }),
    { count: 0, whole: 0, contacts: 0 },
  );
}

/** The largest first: by area, or else by length, or else by number. */
function bySize(a: Share, b: Share): number {
  const [one, other] = [sizeOf(a, false)?.value ?? 0, sizeOf(b, false)?.value ?? 0];
  return other - one || b.count - a.count;
}

/** Finer plans first, then what is no level of a plan. */
function byLevel(a: ShareGroup[], b: ShareGroup[], level: string): number {
  return levelRank(a[0]?.values[level]) - levelRank(b[0]?.values[level]);
}

/**
 * The rows below a layer. With two fields the first one makes rows of its own, with the sums of the rows below them.
 * What only touches the area has no row.
 */
export function valueRows(layer: LayerShare, fields: Field[]): ValueRow[] {
  const divided = (layer.by ?? []).map((name) => fields.find((field) => field.name === name));
  const [first, second] = divided;
  const groups = (layer.groups ?? []).filter((group) => inArea(group) > 0);
  if (!first) return [];
  const row = (group: ShareGroup, depth: 1 | 2, field: Field): ValueRow => ({
    ...group,
    depth,
    field,
    value: group.values[field.name],
  });
  if (!second) return groups.toSorted(bySize).map((group) => row(group, 1, first));
  const levels = new Map<unknown, ShareGroup[]>();
  for (const group of groups) {
    const value = group.values[first.name];
    levels.set(value, [...(levels.get(value) ?? []), group]);
  }
  return [...levels.values()]
    .toSorted((a, b) => byLevel(a, b, first.name))
    .flatMap((level) => {
      const values = { [first.name]: level[0]?.values[first.name] };
      return [
        row({ ...total(level), values }, 1, first),
        ...level.toSorted(bySize).map((group) => row(group, 2, second)),
      ];
    });
}
