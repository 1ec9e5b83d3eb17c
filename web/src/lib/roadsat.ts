import type { AtAnswer, Feature } from './api';

/** The carriageway's width in metres, where the data tells it. */
function carriageway(feature: Feature): number {
  const value = feature.properties.long_duong ?? feature.properties.width ?? feature.properties.carriageway;
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/**
 * `answer` with those of the roads around it on whose carriageway the point lies. A road is stored as its middle line but
 * drawn as wide as it is: who clicks on its edge means the road.
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
      // On the carriageway is on the road, whatever the distance to its middle.
      (feature.distance ?? 0) <= carriageway(feature) / 2 ? { ...feature, distance: 0 } : feature,
    );
    return { ...layer, features };
  });
  return { ...answer, layers };
}
