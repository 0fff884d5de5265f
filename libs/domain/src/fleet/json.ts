export type JsonValue = string | number | boolean | null | JsonList | JsonObject;
export type JsonList = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Keys that reach an object's prototype when they are assigned somewhere: refused wherever people write keys. */
export const HOSTILE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export class HostileKeyError extends Error {
  readonly code = 'HostileKey';
  readonly key: string;
  constructor(key: string) {
    super(`the key ${key} is refused`);
    this.key = key;
  }
}

export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Mappings are merged key by key, everything else (lists too) is replaced by the later layer. A null stays a null: Helm
 * takes a default away with it. Throws HostileKeyError, also for layers that did not come from a fleet document.
 */
export const mergeValues = (...layers: readonly JsonObject[]): JsonObject =>
  layers.reduce<JsonObject>((below, layer) => mergeTwo(below, layer), {});

const mergeTwo = (below: JsonObject, above: JsonObject): JsonObject => {
  const merged: Record<string, JsonValue> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    if (HOSTILE_KEYS.has(key)) throw new HostileKeyError(key);
    const existing = merged[key];
    merged[key] = isJsonObject(value)
      ? mergeTwo(isJsonObject(existing) ? existing : {}, value)
      : withoutHostileKeys(value);
  }
  return merged;
};

const withoutHostileKeys = (value: JsonValue): JsonValue => {
  if (Array.isArray(value)) return (value as JsonList).map(withoutHostileKeys);
  return isJsonObject(value) ? mergeTwo({}, value) : value;
};
