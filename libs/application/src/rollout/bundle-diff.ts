import { type KubeObject, objectKey, type ObjectKey } from '@breakwater/domain';

export interface FieldChange {
  /** `spec.replicas`, `spec.template.spec.containers[0].image`. */
  readonly path: string;
  /** As JSON, shortened; null: it is not there. */
  readonly from: string | null;
  readonly to: string | null;
}

export interface ObjectChange {
  readonly object: ObjectKey;
  readonly fields: readonly FieldChange[];
  /** Of `fields`, so many more were found than are shown. */
  readonly more: number;
}

const MOST_FIELDS = 30;
const LONGEST = 160;
/** Shorter values than this cannot be told from chance. */
const SHORTEST_SECRET = 4;
const MASK = '***';

type Json = Readonly<Record<string, unknown>>;
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const secretsOf = (objects: readonly KubeObject[]): readonly string[] => {
  const found = objects
    .filter(({ kind }) => kind === 'Secret')
    .flatMap((secret) => [
      ...Object.values(isJson(secret['stringData']) ? secret['stringData'] : {}),
      ...Object.values(isJson(secret['data']) ? secret['data'] : {}).flatMap((value) =>
        typeof value === 'string' ? [value, Buffer.from(value, 'base64').toString('utf8')] : [],
      ),
    ])
    .filter((value): value is string => typeof value === 'string' && value.length >= SHORTEST_SECRET);
  const escaped = found.map((value) => JSON.stringify(value).slice(1, -1));
  return [...new Set([...found, ...escaped])].toSorted((left, right) => right.length - left.length);
};

/** Values of Secrets are never shown, wherever they are. */
const masker = (objects: readonly KubeObject[]): ((key: ObjectKey, value: unknown) => string | null) => {
  const secrets = secretsOf(objects);
  return (key, value) => {
    if (value === undefined) return null;
    if (key.startsWith('Secret/')) return MASK;
    const text = secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), JSON.stringify(value));
    return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
  };
};

const step = (path: string, name: string): string =>
  /^[A-Za-z_][\w-]*$/.test(name) ? `${path}${path === '' ? '' : '.'}${name}` : `${path}[${JSON.stringify(name)}]`;

function* differences(
  path: string,
  from: unknown,
  to: unknown,
): Generator<{ path: string; from: unknown; to: unknown }> {
  if (isJson(from) && isJson(to)) {
    for (const name of new Set([...Object.keys(from), ...Object.keys(to)]))
      yield* differences(step(path, name), from[name], to[name]);
  } else if (Array.isArray(from) && Array.isArray(to)) {
    for (let index = 0; index < Math.max(from.length, to.length); index += 1)
      yield* differences(`${path}[${index}]`, from[index], to[index]);
  } else if (JSON.stringify(from) !== JSON.stringify(to)) {
    yield { path, from, to };
  }
}

/** What differs in the objects that both bundles have. */
export const diffBundles = (from: readonly KubeObject[], to: readonly KubeObject[]): readonly ObjectChange[] => {
  const shown = masker([...from, ...to]);
  const old = new Map(from.map((object) => [objectKey(object), object]));
  return to.flatMap((object): readonly ObjectChange[] => {
    const key = objectKey(object);
    const former = old.get(key);
    if (former === undefined) return [];
    const found = [...differences('', former, object)];
    if (found.length === 0) return [];
    const fields = found
      .slice(0, MOST_FIELDS)
      .map((change) => ({ path: change.path, from: shown(key, change.from), to: shown(key, change.to) }));
    return [{ object: key, fields, more: found.length - fields.length }];
  });
};
