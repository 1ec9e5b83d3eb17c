/** Which style layer is drawn above which, where the user has changed the order of the layers. */
import type { LayerSpecification } from 'maplibre-gl';

/** A style layer with the layer of the city that it draws; null for one that draws none. */
export interface Drawn {
  of: string | null;
  layer: LayerSpecification;
  /** Whether it draws buildings, whose areas stand above the lines of others. */
  building?: boolean;
}

/**
 * The bands of the map: 0 areas, 1 lines and buildings, 2 symbols and names. A layer that the user has raised is raised
 * within each band: an area never covers the borders, roads and names of another layer.
 */
function bandOf({ layer, building }: Drawn): number {
  if (layer.type === 'fill') return building ? 1 : 0;
  return layer.type === 'line' ? 1 : 2;
}

/**
 * The style layers from bottom to top, given in the order of the server's style. `raised(a, b)` tells whether the user
 * has put the layer `a` above `b` although `b` is above `a` at first; such a pair is drawn so within each band, and all
 * others as the style has them. O(n²) where something is raised.
 */
export function stacked(drawn: Drawn[], raised: (above: string, below: string) => boolean): Drawn[] {
  const ids = [...new Set(drawn.flatMap(({ of }) => of ?? []))];
  const below = new Map(ids.map((id) => [id, new Set(ids.filter((other) => raised(id, other)))]));
  if ([...below.values()].every((others) => others.size === 0)) return drawn;
  const first = drawn.findIndex(({ of }) => of !== null);
  const ground = drawn.slice(0, Math.max(0, first));
  const above = drawn.slice(ground.length).filter(({ of }) => of === null);
  const bands = [0, 1, 2].flatMap((band) => {
    const waiting = drawn.filter((one) => one.of !== null && bandOf(one) === band);
    const order: Drawn[] = [];
    while (waiting.length > 0) {
      // The lowest one that has nothing left to be drawn below it. The user's order has no circles.
      const free = waiting.findIndex(({ of }) => !waiting.some((other) => below.get(of ?? '')?.has(other.of ?? '')));
      order.push(...waiting.splice(Math.max(0, free), 1));
    }
    return order;
  });
  return [...ground, ...bands, ...above];
}
