/** The icons of layers and search results, by kind. */
import Building2 from '@lucide/svelte/icons/building-2';
import Crosshair from '@lucide/svelte/icons/crosshair';
import History from '@lucide/svelte/icons/history';
import House from '@lucide/svelte/icons/house';
import LandPlot from '@lucide/svelte/icons/land-plot';
import Landmark from '@lucide/svelte/icons/landmark';
import Layers from '@lucide/svelte/icons/layers';
import MapIcon from '@lucide/svelte/icons/map';
import MapPin from '@lucide/svelte/icons/map-pin';
import MessageSquare from '@lucide/svelte/icons/message-square-warning';
import Route from '@lucide/svelte/icons/route';
import Zap from '@lucide/svelte/icons/zap';
import type { Component } from 'svelte';

/** The icon of a kind of layer or search result. It is always shown next to a text. */
export const KIND_ICONS: Record<string, Component> = {
  parcel: LandPlot,
  zone: MapIcon,
  road: Route,
  building: Building2,
  address: House,
  admin_unit: Landmark,
  utility: Zap,
  place: MapPin,
  report: MessageSquare,
  other: Layers,
  former_unit: History,
  coordinates: Crosshair,
  crossing: Crosshair,
};
