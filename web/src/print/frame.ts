/** The frame of a sheet over the map: outside of it the map is dimmed. */
import type { Map as LibreMap } from 'maplibre-gl';

const SVG = 'http://www.w3.org/2000/svg';

/** A polygon over the map, which follows its moves. */
export class PrintFrame {
  readonly #map: LibreMap;
  readonly #svg: SVGSVGElement;
  readonly #path: SVGPathElement;
  /** Gives the corners, longitude and latitude; `null` for no frame. */
  readonly #corners: () => [number, number][] | null;

  constructor(map: LibreMap, corners: () => [number, number][] | null) {
    this.#map = map;
    this.#corners = corners;
    this.#svg = document.createElementNS(SVG, 'svg');
    this.#svg.setAttribute('class', 'print-frame');
    this.#svg.setAttribute('aria-hidden', 'true');
    this.#svg.style.cssText = 'position:absolute;inset:0;width:100%;height:100%;pointer-events:none';
    this.#path = document.createElementNS(SVG, 'path');
    this.#path.setAttribute('fill', 'rgb(0 0 0 / 0.32)');
    this.#path.setAttribute('fill-rule', 'evenodd');
    this.#path.setAttribute('stroke', '#c8102e');
    this.#path.setAttribute('stroke-width', '2');
    this.#svg.append(this.#path);
    map.getContainer().append(this.#svg);
    map.on('move', this.draw);
    map.on('resize', this.draw);
    this.draw();
  }

  /** Draws the frame where the map is now. */
  readonly draw = (): void => {
    const corners = this.#corners();
    if (!corners) {
      this.#path.setAttribute('d', '');
      return;
    }
    const { clientWidth, clientHeight } = this.#map.getContainer();
    const at = corners.map((corner) => this.#map.project(corner)).map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`);
    // The edge of the map lies outside, so that its stroke is not seen.
    const around = `M-9-9H${clientWidth + 9}V${clientHeight + 9}H-9Z`;
    this.#path.setAttribute('d', `${around}M${at.join('L')}Z`);
  };

  /** Removes the frame. */
  remove(): void {
    this.#map.off('move', this.draw);
    this.#map.off('resize', this.draw);
    this.#svg.remove();
  }
}
