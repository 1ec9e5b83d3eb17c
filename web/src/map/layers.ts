/** Which module draws which kind of layer. */
import type { Collection } from '../lib/api';
import { classify } from './classify';
import type { DrawContext, Placed } from './draw/common';
import { parcels, zones } from './draw/land';
import { nature, others } from './draw/others';
import { points } from './draw/points';
import { roads } from './draw/road';
import { addresses, admin, buildings, network } from './draw/town';

/** The style layers that draw a layer of the city. */
export function drawCollection(collection: Collection, context: DrawContext): Placed[] {
  switch (classify(collection)) {
    case 'parcel':
      return parcels(collection, context);
    case 'zone':
      return zones(collection, context);
    case 'road':
      return roads(collection, context);
    case 'building':
      return buildings(collection, context);
    case 'address':
      return addresses(collection, context);
    case 'admin':
      return admin(collection, context);
    case 'pipe':
    case 'power':
      return network(collection, context);
    case 'point':
      return points(collection, context);
    case 'water':
    case 'green':
      return nature(collection, context);
    default:
      return others(collection, context);
  }
}
