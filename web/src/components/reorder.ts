/** Dragging layers and groups to another position in the list. */

/** A layer or a group that is dragged. Positions are among its siblings: the layers of its group, or all groups. */
export interface Moving {
  kind: 'layer' | 'group';
  /** The id of the layer or of the group. */
  id: string;
  from: number;
  /** The sibling before which it would be put; their number for the end. */
  to: number;
}

/** How near to the edge of the list it is scrolled, and how far at each move of the pointer, in pixels. */
const EDGE = 36;
const STEP = 14;

/** The elements between which `moving` may be put, in their order. */
function siblings(list: HTMLElement, { kind, id }: Pick<Moving, 'kind' | 'id'>): Element[] {
  const all = [...list.querySelectorAll(`[data-${kind}]`)];
  const own = all.find((element) => element.getAttribute(`data-${kind}`) === id);
  return all.filter((element) => element.parentElement === own?.parentElement);
}

/** The position that the dragged one would get with the pointer at `y` (pixels from the top of the page). */
export function placeAt(list: HTMLElement, moving: Moving, y: number): number {
  const boxes = siblings(list, moving).map((element) => element.getBoundingClientRect());
  return boxes.filter((box) => y > box.top + box.height / 2).length;
}

/** Scrolls the list while the pointer is at its upper or lower edge. */
export function scrollAtEdge(list: HTMLElement, y: number): void {
  const scroller = list.closest('[role="tabpanel"]');
  if (!scroller) return;
  const { top, bottom } = scroller.getBoundingClientRect();
  if (y < top + EDGE) scroller.scrollTop -= STEP;
  else if (y > bottom - EDGE) scroller.scrollTop += STEP;
}
