/** The plate behind a figure on a line: it interrupts the line, which would otherwise cross the decimal mark. */
import type { Map as MapLibre, SymbolLayerSpecification } from 'maplibre-gl';

/** The name of the picture, a square that takes the colour and the size of its text's background. */
const PLATE = 'citymap-plate';
/** Its side in pixels. */
const SIDE = 8;

/** The layout of the plate behind a text that turns with the map, or stays level on the screen. */
export const plateLayout = (aligned: 'map' | 'viewport'): SymbolLayerSpecification['layout'] => ({
  'icon-image': PLATE,
  'icon-text-fit': 'both',
  'icon-text-fit-padding': [-1, 2, -1, 2],
  'icon-rotation-alignment': aligned,
  'text-rotation-alignment': aligned,
  'icon-allow-overlap': true,
  'icon-ignore-placement': true,
});

/** Gives the map the picture when its style asks for it. */
export function providePlate(map: MapLibre): void {
  map.setMissingStyleImageResolver(async (id) => {
    if (id !== PLATE || map.hasImage(PLATE)) return;
    // A signed distance field that is inside everywhere, so that the style can colour it.
    const data = new Uint8Array(SIDE * SIDE * 4).fill(255);
    map.addImage(PLATE, { width: SIDE, height: SIDE, data }, { sdf: true });
  });
}
