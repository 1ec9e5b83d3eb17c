/** Dragging the corners of a shape on the map. */
import type { Map as MapLibre, MapMouseEvent, MapTouchEvent } from 'maplibre-gl';

/** How near to a corner, in pixels, a pointer or a finger must be to take it. */
const POINTER_PX = 12;
const FINGER_PX = 24;

/** The corners that can be dragged, and what is called when one is. */
export interface CornerDragging {
  corners: () => GeoJSON.Position[];
  chosen: (index: number) => void;
  moved: (index: number, to: GeoJSON.Position) => void;
}

/** Lets corners be dragged on the map, reporting at most one move per frame. Returns the function that ends it. */
export function dragCorners(map: MapLibre, { corners, chosen, moved }: CornerDragging): () => void {
  let index: number | null = null;
  let to: GeoJSON.Position | null = null;
  let frame = 0;

  const nearest = (point: { x: number; y: number }, reach: number): number | null => {
    let best: number | null = null;
    let smallest = reach;
    for (const [number, [lon = 0, lat = 0]] of corners().entries()) {
      const place = map.project([lon, lat]);
      const distance = Math.hypot(place.x - point.x, place.y - point.y);
      if (distance > smallest) continue;
      smallest = distance;
      best = number;
    }
    return best;
  };
  const report = () => {
    frame = 0;
    if (index !== null && to) moved(index, to);
    to = null;
  };
  const down = (event: MapMouseEvent | MapTouchEvent) => {
    const fingers = 'points' in event ? event.points.length : 0;
    const button = event.originalEvent instanceof MouseEvent ? event.originalEvent.button : 0;
    if (fingers > 1 || button !== 0) return;
    index = nearest(event.point, fingers ? FINGER_PX : POINTER_PX);
    if (index === null) return;
    // The map must not move with the corner.
    event.preventDefault();
    chosen(index);
  };
  const move = (event: MapMouseEvent | MapTouchEvent) => {
    if (index === null) {
      if (event.type === 'mousemove')
        map.getCanvas().style.cursor = nearest(event.point, POINTER_PX) === null ? '' : 'move';
      return;
    }
    if (event.type === 'touchmove') event.preventDefault();
    to = [event.lngLat.lng, event.lngLat.lat];
    frame ||= requestAnimationFrame(report);
  };
  const up = () => {
    if (index === null) return;
    cancelAnimationFrame(frame);
    report();
    index = null;
  };
  map.on('mousedown', down);
  map.on('touchstart', down);
  map.on('mousemove', move);
  map.on('touchmove', move);
  // The pointer may be released outside the map.
  for (const name of ['mouseup', 'touchend', 'touchcancel']) window.addEventListener(name, up);
  return () => {
    cancelAnimationFrame(frame);
    map.off('mousedown', down);
    map.off('touchstart', down);
    map.off('mousemove', move);
    map.off('touchmove', move);
    for (const name of ['mouseup', 'touchend', 'touchcancel']) window.removeEventListener(name, up);
    map.getCanvas().style.cursor = '';
  };
}
