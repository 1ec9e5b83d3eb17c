/** The groups of the layers and their order, which the user may change. The list's order is from top to bottom. */
import type { Collection, Role } from '../lib/api';

/** The groups in the order in which they are listed. */
export const GROUPS = ['land', 'planning', 'transport', 'administration', 'utilities', 'services', 'other'] as const;
export type GroupId = (typeof GROUPS)[number];

const OF_ROLE: Record<Role, GroupId> = {
  parcel: 'land',
  building: 'land',
  address: 'land',
  zone: 'planning',
  road: 'transport',
  admin_unit: 'administration',
  utility: 'utilities',
  place: 'services',
  report: 'services',
  other: 'other',
};

export interface LayerGroup {
  id: GroupId;
  layers: Collection[];
}

/**
 * The layers in their groups. `order` names layers from the top; layers that it does not name come last in their group,
 * and groups of which it names none come last.
 */
export function arrange(layers: Collection[], order: readonly string[] = []): LayerGroup[] {
  const rank = new Map(order.map((id, index) => [id, index]));
  const rankOf = ({ id }: Collection) => rank.get(id) ?? order.length;
  const groups = GROUPS.map((id) => ({
    id,
    layers: layers
      .filter(({ citymap }) => (OF_ROLE[citymap.role] ?? 'other') === id)
      .toSorted((a, b) => rankOf(a) - rankOf(b)),
  })).filter((group) => group.layers.length > 0);
  const first = (group: LayerGroup) => Math.min(...group.layers.map(rankOf));
  return groups.toSorted((a, b) => first(a) - first(b));
}

/** The ids of the layers from the top. */
export const orderOf = (groups: LayerGroup[]): string[] => groups.flatMap(({ layers }) => layers.map(({ id }) => id));

/** The list with the item at `from` moved to the position `to`, within the list's bounds. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, index) => index !== from);
  const item = list[from];
  if (item !== undefined) rest.splice(Math.max(0, Math.min(rest.length, to)), 0, item);
  return rest;
}
