/** The report on a parcel, `/api/parcels/{id}/report`: what is planned on it, and what rights-of-way cut off. */
import { getJson, type Titles } from '../lib/api';
import { withTime } from '../lib/requesttime';

/** Something of a theme touches the parcel, nothing does, or the city has no data of it. */
export type Status = 'touched' | 'not_touched' | 'no_data';

/** A value as the record has it, and what it means. */
export interface Coded {
  value: string;
  title: Titles | null;
}

/** What a zone of a plan shares with the parcel. Areas are in m², shares from 0 to 1. */
export interface ZonePiece {
  layer: string;
  id: string | number;
  label: string;
  level: Coded | null;
  function: Coded | null;
  decision: string | null;
  date: string | null;
  indicators: { field: string; title: Titles; value: unknown; unit: string | null; text: Titles | null }[];
  area: number;
  share: number;
  /** Where the zone prevails; `overruledBy` are positions in the list of pieces. */
  prevailing: { area: number; share: number; overruledBy: number[] };
  sliver: boolean;
}

/** The part of the report that the page shows. Areas are in m² on the home grid. */
export interface ParcelReport {
  revision: number;
  areas: { grid: number; ellipsoidal: number; certificate: number | null; difference: number | null };
  plans: {
    status: Status;
    sliverTolerance: number;
    pieces: ZonePiece[];
    uncovered: number;
    uncoveredShare: number;
    overlapping: number;
  };
  rightOfWay: {
    status: Status;
    roads: { layer: string; id: string | number; label: string; width: number; area: number }[];
    cut: number;
    remaining: number;
  };
}

/** The path of the report on a parcel. */
export function reportPath(layer: string, id: string | number): string {
  return `/api/parcels/${encodeURIComponent(String(id))}/report?layer=${encodeURIComponent(layer)}`;
}

/** The report on a parcel at the time that the page shows. Throws `ApiError`. */
export function fetchReport(layer: string, id: string | number, signal?: AbortSignal): Promise<ParcelReport> {
  return getJson(withTime(reportPath(layer, id), true), signal);
}

/** The zones that are in force somewhere on the parcel, and those that finer or later plans replace there. */
export function split(pieces: ZonePiece[], tolerance: number): { inForce: ZonePiece[]; replaced: ZonePiece[] } {
  const holds = (piece: ZonePiece) => piece.prevailing.area > Math.min(tolerance, piece.area / 2);
  return { inForce: pieces.filter(holds), replaced: pieces.filter((piece) => !holds(piece)) };
}
