/** The versions of a feature, and how two of them differ. */
import { ask, type Feature, type Field, itemUrl } from '../lib/api';
import { writerHeaders } from '../lib/token';

/** A version of a feature: its state from one revision until another. Times are RFC 3339. */
export interface Version {
  from: number;
  fromTime: string | null;
  until: number | null;
  op: string;
  message?: string | null;
  author?: string | null;
  /** `null` if the feature did not exist then. */
  feature: Feature | null;
}

/** The answer of `/items/{id}/history`: newest first. */
export interface VersionsAnswer {
  id: string | number;
  versions: Version[];
}

/** A value that differs between two versions. */
export interface Difference {
  field: Field;
  before: unknown;
  after: unknown;
}

/** Reads the versions of a feature, newest first; their authors only with a writer's token. Throws `ApiError`. */
export async function fetchVersions(layer: string, id: string | number, signal?: AbortSignal): Promise<VersionsAnswer> {
  const response = await ask(`${itemUrl(layer, id)}/history`, signal, { headers: writerHeaders() });
  return response.json() as Promise<VersionsAnswer>;
}

const isEmpty = (value: unknown) => value === null || value === undefined || value === '';

/** The values that differ between two versions, in the order of the fields. A missing value equals an empty one. */
export function differences(before: Feature | null, after: Feature | null, fields: Field[]): Difference[] {
  return fields.flatMap((field) => {
    const [one, other] = [before?.properties[field.name], after?.properties[field.name]];
    const same = (isEmpty(one) && isEmpty(other)) || JSON.stringify(one) === JSON.stringify(other);
    return same ? [] : [{ field, before: one, after: other }];
  });
}

/** Whether two versions differ in shape or position. */
export function moved(before: Feature | null, after: Feature | null): boolean {
  return JSON.stringify(before?.geometry ?? null) !== JSON.stringify(after?.geometry ?? null);
}
