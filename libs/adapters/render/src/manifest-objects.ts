import type { KubeObject } from '@breakwater/domain';
import { groupOf } from '@breakwater/domain';
import type { FoundDocument } from './manifest-documents.ts';
import { isBuiltInGroup } from './cluster-scoped.ts';
import { collect, fail } from './render-failure.ts';

/** An object together with where it was found. */
export interface FoundObject {
  readonly object: KubeObject;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Set by API servers; a manifest that carries them was exported from a cluster. */
const SERVER_FIELDS = [
  'uid',
  'resourceVersion',
  'generation',
  'selfLink',
  'managedFields',
  'creationTimestamp',
  'deletionTimestamp',
];

/** Names are parts of URLs; all else is left to the API server, which knows each kind's rules. */
const NAME = /^(?!\.{1,2}$)[^/%\s\p{Cc}]{1,253}$/u;
const NAMESPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Documents as objects: lists flattened, names and maps checked, Secrets in one form, server fields dropped with a warning. */
export const readObjects = (documents: readonly FoundDocument[], warnings: string[]): FoundObject[] =>
  collect(collect(documents, (document) => flatten(document, 0)).flat(), (found) => readObject(found, warnings));

const flatten = (found: FoundDocument, level: number): FoundDocument[] => {
  const { value } = found;
  if (!isMap(value))
    throw fail(
      'InvalidObject',
      'the document is not an object',
      'remove it, or give it apiVersion and kind',
      place(found),
    );
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [found];
  if (level > 3)
    throw fail('InvalidObject', 'lists are nested too deeply', 'write the objects one after the other', place(found));
  return items.flatMap((item: unknown) => flatten({ ...found, value: item }, level + 1));
};

const place = ({ file, line }: FoundDocument): { file?: string | undefined; line?: number | undefined } => ({
  file,
  line,
});

const readObject = (found: FoundDocument, warnings: string[]): FoundObject => {
  const value = found.value as Fields;
  const { apiVersion, kind, metadata } = value;
  const bad = (field: string, message: string, remedy: string): Error =>
    fail('InvalidObject', message, remedy, { ...place(found), field, object: describe(value) });
  if (typeof apiVersion !== 'string' || !/^[\w.-]+(?:\/[\w.-]+)?$/.test(apiVersion)) {
    throw bad('apiVersion', 'the object has no apiVersion', 'add one, such as apps/v1');
  }
  if (typeof kind !== 'string' || !/^[A-Za-z][A-Za-z0-9]*$/.test(kind))
    throw bad('kind', 'the object has no kind', 'add one, such as Deployment');
  const group = groupOf(apiVersion);
  if (group === 'breakwater.dev' || group === 'kustomize.config.k8s.io') {
    throw bad('apiVersion', `${kind} is not an object for a cluster`, "move the file out of the application's source");
  }
  if (!isMap(metadata)) throw bad('metadata', 'the object has no metadata', 'add metadata with a name');
  if (metadata['generateName'] !== undefined) {
    throw bad('metadata.generateName', 'a generated name is another in every rollout', 'give the object a name');
  }
  const { name, namespace } = metadata;
  if (typeof name === 'number' || typeof name === 'boolean')
    throw bad('metadata.name', 'the name is not text', `write "${name}"`);
  if (typeof name !== 'string' || !NAME.test(name))
    throw bad('metadata.name', 'the object has no valid name', 'give it a name');
  const hasNamespace = namespace !== undefined && namespace !== null && namespace !== '';
  if (hasNamespace && (typeof namespace !== 'string' || !NAMESPACE.test(namespace))) {
    throw bad('metadata.namespace', 'the namespace is not a valid name', 'use lower-case letters, digits and dashes');
  }
  for (const field of ['labels', 'annotations']) checkTexts(metadata[field], `metadata.${field}`, bad);
  const cleaned = dropServerFields(value, metadata, group, describe(value), warnings);
  const object = (kind === 'Secret' && group === ''
    ? withoutStringData(cleaned, bad)
    : cleaned) as unknown as KubeObject;
  return { object, ...place(found) };
};

const describe = (value: Fields): string => {
  const metadata = isMap(value['metadata']) ? value['metadata'] : {};
  const text = (part: unknown): string => (typeof part === 'string' || typeof part === 'number' ? String(part) : '');
  const group = groupOf(text(value['apiVersion']));
  return `${group === '' ? '' : `${group}/`}${text(value['kind'])}/${text(metadata['namespace'])}/${text(metadata['name'])}`;
};

type Bad = (field: string, message: string, remedy: string) => Error;

const checkTexts = (map: unknown, field: string, bad: Bad): void => {
  if (map === undefined || map === null) return;
  if (!isMap(map)) throw bad(field, `${field} is not a map`, 'write key: value pairs');
  for (const [key, value] of Object.entries(map)) {
    if (typeof value === 'string') continue;
    throw bad(`${field}.${key}`, `the value ${JSON.stringify(value)} is not text`, `write it in quotes: ${key}: "…"`);
  }
};

const dropServerFields = (value: Fields, metadata: Fields, group: string, name: string, warnings: string[]): Fields => {
  const dropped = SERVER_FIELDS.filter((field) => Object.hasOwn(metadata, field));
  const told = dropped.filter((field) => metadata[field] !== null).map((field) => `metadata.${field}`);
  const withoutStatus = isBuiltInGroup(group) && Object.hasOwn(value, 'status');
  if (told.length > 0) warnings.push(`${name}: ${told.join(', ')} left out: the API server sets it`);
  const empty = ['labels', 'annotations', 'namespace'].filter(
    (field) => metadata[field] === null || metadata[field] === '',
  );
  const entries = Object.entries(metadata).filter(([field]) => !dropped.includes(field) && !empty.includes(field));
  const members = Object.entries(value).filter(([field]) => !(withoutStatus && field === 'status'));
  return { ...Object.fromEntries(members), metadata: Object.fromEntries(entries) };
};

/** `stringData` is for people: the API server turns it into `data`, and would show another object than the one that was applied. */
const withoutStringData = (secret: Fields, bad: Bad): Fields => {
  for (const field of ['data', 'stringData'])
    checkTexts(secret[field], field, (at, _, remedy) => bad(at, 'the value is not text', remedy));
  if (!isMap(secret['stringData'])) return secret;
  const encoded = Object.entries(secret['stringData']).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  const data = { ...(isMap(secret['data']) ? secret['data'] : {}), ...Object.fromEntries(encoded) };
  return { ...Object.fromEntries(Object.entries(secret).filter(([field]) => field !== 'stringData')), data };
};
