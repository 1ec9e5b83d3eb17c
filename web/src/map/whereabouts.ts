/** The user's own position on the map: a dot, and a circle as large as its accuracy. */
import { type Map as MapLibre, Marker } from 'maplibre-gl';

/** The equator in metres, on the sphere of Web Mercator. */
const EQUATOR_M = 40_075_016.686;

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
    const metresPerPixel = (EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** this.#map.getZoom());
    const size = `${Math.round((2 * this.#accuracy) / metresPerPixel)}px`;
    Object.assign(this.#circle.style, { width: size, height: size });
  }
}
