import type { RenderedBundle, RenderOverride, RenderRequest } from '@breakwater/application';
import type { KubeObject } from '@breakwater/domain';
import { bundleDigest, canonicalJson, groupOf, objectKey } from '@breakwater/domain';
import { clusterScope } from './cluster-scoped.ts';
import { jsonPatch, mergePatch, PatchError } from './json-patch.ts';
import type { FoundDocument } from './manifest-documents.ts';
import type { FoundObject } from './manifest-objects.ts';
import { readObjects } from './manifest-objects.ts';
import { collect, fail } from './render-failure.ts';
import type { Limits } from './render-limits.ts';
import { mebibytes } from './render-limits.ts';

/** What the tools printed, as the bundle that is stored, planned and applied. Throws RenderFailure. */
export const makeBundle = (
  documents: readonly FoundDocument[],
  request: RenderRequest,
  limits: Limits,
  earlier: readonly string[],
): RenderedBundle => {
  const warnings = [...earlier];
  const read = readObjects(documents, warnings);
  if (read.length === 0) {
    throw fail('SourceEmpty', 'the source renders to no object at all', 'add manifests, or remove the application', {
      file: request.path,
    });
  }
  const placed = placeObjects(read, request, warnings);
  refuseDuplicates(placed);
  const overridden = (request.overrides ?? []).reduce(applyOverride, placed);
  checkSizes(overridden, limits);
  const byKey = (a: KubeObject, b: KubeObject): number => (objectKey(a) < objectKey(b) ? -1 : 1);
  const objects = overridden.map(({ object }) => object).sort(byKey);
  return { ok: true, objects, digest: bundleDigest(objects), warnings: [...new Set(warnings)] };
};

const where = ({
  file,
  line,
  object,
}: FoundObject): { file?: string | undefined; line?: number | undefined; object: string } => ({
  file,
  line,
  object: objectKey(object),
});

const placeObjects = (found: readonly FoundObject[], request: RenderRequest, warnings: string[]): FoundObject[] => {
  const isClusterScoped = clusterScope(
    found.map(({ object }) => object),
    request.clusterScoped ?? [],
  );
  const allowed = new Set([request.namespace, ...(request.namespaces ?? [])]);
  return collect(found, (one) => {
    const { object } = one;
    const { namespace } = object.metadata;
    if (isClusterScoped(object)) {
      if (namespace === undefined) return one;
      warnings.push(`${object.kind}/${object.metadata.name} has no namespace: ${namespace} left out`);
      const entries = Object.entries(object.metadata).filter(([field]) => field !== 'namespace');
      return {
        ...one,
        object: { ...object, metadata: { ...Object.fromEntries(entries), name: object.metadata.name } },
      };
    }
    if (namespace === undefined) {
      return { ...one, object: { ...object, metadata: { ...object.metadata, namespace: request.namespace } } };
    }
    if (allowed.has(namespace)) return one;
    throw fail(
      'NamespaceNotAllowed',
      `the object is in the namespace ${namespace}, the application's is ${request.namespace}`,
      `remove metadata.namespace, or list ${namespace} in the application's namespaces`,
      { ...where(one), field: 'metadata.namespace' },
    );
  });
};

const refuseDuplicates = (found: readonly FoundObject[]): void => {
  const seen = new Map<string, FoundObject>();
  collect(found, (one) => {
    const key = objectKey(one.object);
    const other = seen.get(key);
    if (other === undefined) return seen.set(key, one);
    const first =
      other.file === undefined ? '' : `, first in ${other.file}${other.line === undefined ? '' : `:${other.line}`}`;
    throw fail('DuplicateObject', `the object is there twice${first}`, 'remove one of them', where(one));
  });
};

const matches = (object: KubeObject, { kind, name, namespace, group }: RenderOverride['target']): boolean =>
  object.kind === kind &&
  object.metadata.name === name &&
  (namespace === undefined || object.metadata.namespace === namespace) &&
  (group === undefined || groupOf(object.apiVersion) === group);

const applyOverride = (found: readonly FoundObject[], override: RenderOverride, index: number): FoundObject[] => {
  const { target } = override;
  const shown = `${target.kind}/${target.name}`;
  const field = `overrides[${index}]`;
  if (!found.some(({ object }) => matches(object, target))) {
    throw fail('OverrideMatchesNothing', `no object is ${shown}`, 'mend the target, or remove the override', {
      field: `${field}.target`,
      object: shown,
    });
  }
  if (override.patch === undefined && override.jsonPatch === undefined) {
    throw fail('InvalidOverride', `the override of ${shown} changes nothing`, 'add patch or jsonPatch', {
      field,
      object: shown,
    });
  }
  return found.map((one) => {
    if (!matches(one.object, target)) return one;
    const object = patched(one.object, override, field);
    if (typeof object.metadata?.name === 'string' && objectKey(object) === objectKey(one.object)) {
      return { ...one, object };
    }
    const remedy = 'leave apiVersion, kind, name and namespace as they are';
    throw fail('InvalidOverride', `the override turns ${shown} into another object`, remedy, { ...where(one), field });
  });
};

const patched = (
  object: KubeObject,
  { patch, jsonPatch: operations, target }: RenderOverride,
  field: string,
): KubeObject => {
  try {
    const merged = patch === undefined ? object : mergePatch(object, patch);
    return (operations === undefined ? merged : jsonPatch(merged, operations)) as KubeObject;
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    const remedy = 'mend the JSON patch';
    throw fail('InvalidOverride', error.message, remedy, {
      field: `${field}.jsonPatch`,
      object: `${target.kind}/${target.name}`,
    });
  }
};

const checkSizes = (found: readonly FoundObject[], limits: Limits): void => {
  let sum = 0;
  collect(found, (one) => {
    const size = Buffer.byteLength(canonicalJson(one.object));
    sum += size;
    if (size <= limits.objectBytes) return;
    const says = `the object has ${mebibytes(size)}, the limit is ${mebibytes(limits.objectBytes)}`;
    throw fail('TooLarge', says, 'split it: etcd takes no larger one', where(one));
  });
  if (sum > limits.sourceBytes) {
    throw fail('TooLarge', `the source renders to more than ${mebibytes(limits.sourceBytes)}`, 'split the application');
  }
};
