/**
 * Reading of fields whose shape nobody guarantees: live objects come from clusters that may be broken or hostile, so a
 * field of the wrong type reads as absent and nothing here throws.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const valueAt = (root: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    root,
  );

export const objectAt = (root: unknown, ...path: readonly string[]): JsonObject | undefined => {
  const value = valueAt(root, ...path);
  return isObject(value) ? value : undefined;
};

export const numberAt = (root: unknown, ...path: readonly string[]): number | undefined => {
  const value = valueAt(root, ...path);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};

/** An empty string reads as absent, as the Kubernetes API means it. */
export const stringAt = (root: unknown, ...path: readonly string[]): string | undefined => {
  const value = valueAt(root, ...path);
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** The objects in a list; entries that are no objects are left out. */
export const listAt = (root: unknown, ...path: readonly string[]): readonly JsonObject[] => {
  const value = valueAt(root, ...path);
  return Array.isArray(value) ? value.filter(isObject) : [];
};

/** Epoch milliseconds of an RFC 3339 time. */
export const timeAt = (root: unknown, ...path: readonly string[]): number | undefined => {
  const text = stringAt(root, ...path);
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
};
