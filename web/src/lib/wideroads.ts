/** The roads at a point, with their width taken into account. */
import { type AtAnswer, type Collection, type Feature, fieldWith } from './api';

/** Half the width of a carriageway in metres, or 0 if the layer or the feature does not contain it. */
function halfWidth(feature: Feature, layer: Collection | undefined): number {
  const field = layer && fieldWith(layer, 'width');
  const value = field && feature.properties[field.name];
  return typeof value === 'number' && Number.isFinite(value) ? value / 2 : 0;
}

/**
 * Adds to `answer` those of the surrounding `roads` on whose carriageway the point lies. A road is stored as its centre
 * line but drawn in its true width: a click on its edge means the road. `byId` has the layers, whose fields say which
 * of them is the width.
 */
export function withRoads(answer: AtAnswer, roads: AtAnswer | null, byId: Map<string, Collection>): AtAnswer {
  if (!roads) return answer;
  const layers = answer.layers.map((layer) => {
    const wide = roads.layers.find((candidate) => candidate.layer === layer.layer);
    if (!wide) return layer;
    const collection = byId.get(layer.layer);
    const known = new Set(layer.features.map((feature) => String(feature.id)));
    const more = wide.features.filter(
      (feature) =>
        !known.has(String(feature.id)) &&
        (feature.distance ?? Number.POSITIVE_INFINITY) <= halfWidth(feature, collection),
    );
    const features = [...layer.features, ...more].map((feature) =>
      // A point on the carriageway is on the road, at any distance from the centre line.
      (feature.distance ?? 0) <= halfWidth(feature, collection) ? { ...feature, distance: 0 } : feature,
    );
    return { ...layer, features };
  });
  return { ...answer, layers };
}
