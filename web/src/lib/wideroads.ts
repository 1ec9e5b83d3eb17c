/** The roads at a point, with their width taken into account. */
import type { AtAnswer, Feature } from './api';

/** The width of the carriageway in metres, or 0 if the data does not contain it. */
function carriageway(feature: Feature): number {
  const value = feature.properties.long_duong ?? feature.properties.width ?? feature.properties.carriageway;
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/**
 * Adds to `answer` those of the surrounding `roads` on whose carriageway the point lies. A road is stored as its centre
 * line but drawn in its true width: a click on its edge means the road.
 */
export function withRoads(answer: AtAnswer, roads: AtAnswer | null): AtAnswer {
  if (!roads) return answer;
  const layers = answer.layers.map((layer) => {
    const wide = roads.layers.find((candidate) => candidate.layer === layer.layer);
    if (!wide) return layer;
    const known = new Set(layer.features.map((feature) => String(feature.id)));
    const more = wide.features.filter(
      (feature) =>
        !known.has(String(feature.id)) && (feature.distance ?? Number.POSITIVE_INFINITY) <= carriageway(feature) / 2,
    );
    const features = [...layer.features, ...more].map((feature) =>
      // A point on the carriageway is on the road, at any distance from the centre line.
      (feature.distance ?? 0) <= carriageway(feature) / 2 ? { ...feature, distance: 0 } : feature,
    );
    return { ...layer, features };
  });
  return { ...answer, layers };
}
