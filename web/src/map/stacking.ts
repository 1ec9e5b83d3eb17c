/** Which style layer is drawn above which. */
import { type Placed, SLOTS, type Slot } from './draw/common';

/** A style layer with the layer of the city that it draws. */
export interface Drawn extends Placed {
  of: string;
}

/**
 * The bands of the map, by their last slot: areas, then lines and buildings, then symbols and names. A layer that the
 * user has raised is raised within each band: an area never covers the borders, roads and names of another layer.
 */
const BANDS: Slot[] = ['water-fill', 'admin-line', 'area-label'];

const slotAt = new Map<Slot, number>(SLOTS.map((slot, index) => [slot, index]));
const bandOf = (slot: Slot) => BANDS.findIndex((last) => (slotAt.get(slot) ?? 0) <= (slotAt.get(last) ?? 0));

/**
 * The style layers from bottom to top. They are given in the order of the catalogue, of which the first is on top
 * within its slot. `raised(a, b)` tells whether the user has put the layer `a` above `b` although `b` is above `a` at
 * first; such a pair is drawn so within each band, and all others by their slots. O(n²) where something is raised.
 */
export function stacked(drawn: Drawn[], raised: (above: string, below: string) => boolean): Drawn[] {
  const bySlot = drawn.toReversed().toSorted((a, b) => (slotAt.get(a.slot) ?? 0) - (slotAt.get(b.slot) ?? 0));
  const ids = [...new Set(drawn.map(({ of }) => of))];
  const below = new Map(ids.map((id) => [id, new Set(ids.filter((other) => raised(id, other)))]));
  if ([...below.values()].every((others) => others.size === 0)) return bySlot;
  return BANDS.flatMap((_, band) => {
    const waiting = bySlot.filter(({ slot }) => bandOf(slot) === band);
    const order: Drawn[] = [];
    while (waiting.length > 0) {
      // The lowest one that has nothing left to be drawn below it. The user's order has no circles.
      const free = waiting.findIndex(({ of }) => !waiting.some((other) => below.get(of)?.has(other.of)));
      order.push(...waiting.splice(Math.max(0, free), 1));
    }
    return order;
  });
}
