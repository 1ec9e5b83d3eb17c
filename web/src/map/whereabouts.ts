/** The user's own position on the map: a dot, and a circle as large as its accuracy. */
import { type Map as MapLibre, Marker } from 'maplibre-gl';
import { metresPerPixel } from '../lib/scale';

export class Whereabouts {
  readonly #map: MapLibre;
  readonly #circle = document.createElement('div');
  readonly #marker: Marker;
  #accuracy = 0;

  constructor(map: MapLibre) {
    this.#map = map;
    const element = document.createElement('div');
    element.className = 'whereabouts';
    this.#circle.className = 'whereabouts-accuracy';
    const dot = document.createElement('div');
    dot.className = 'whereabouts-dot';
    element.append(this.#circle, dot);
    this.#marker = new Marker({ element });
    map.on('zoom', () => this.#resize());
  }

  /** Shows a position (degrees) and its accuracy in metres; `label` names it for screen readers. */
  show(lonlat: [number, number], accuracy: number, label: string): void {
    this.#accuracy = accuracy;
    this.#marker.setLngLat(lonlat).addTo(this.#map);
    const element = this.#marker.getElement();
    element.setAttribute('role', 'img');
    element.setAttribute('aria-label', label);
    this.#resize();
  }

  #resize(): void {
    const { lat } = this.#marker.getLngLat() ?? { lat: 0 };
    const size = `${Math.round((2 * this.#accuracy) / metresPerPixel(lat, this.#map.getZoom()))}px`;
    Object.assign(this.#circle.style, { width: size, height: size });
  }
}
