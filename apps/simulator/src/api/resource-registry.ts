import { arrayAt, isObject, objectAt, stringAt } from '../object.ts';
import type { KubeObject } from '../object.ts';
import {
  builtinByKey,
  builtinByPath,
  builtinResources,
  groupVersion,
  objectMetaType,
  resourceKey,
} from '../schema/resource-table.ts';
import type { Resource, Subresource } from '../schema/resource-table.ts';
import { deduced, typeFromOpenApi } from '../schema/type-schema.ts';
import type { StructNode, TypeNode } from '../schema/type-schema.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;
const text: TypeNode = { kind: 'scalar', scalar: 's' };

/** The kinds that one cluster serves: the built-in ones, and those of its CustomResourceDefinitions. */
export class ResourceRegistry {
  #custom = new Map<string, readonly Resource[]>();
  #byPath = new Map<string, Resource>();

  find(apiVersion: string, plural: string): Resource | undefined {
    return builtinByPath.get(`${apiVersion}/${plural}`) ?? this.#byPath.get(`${apiVersion}/${plural}`);
  }

  /** By `plural.group`. */
  byKey(key: string): Resource | undefined {
    return builtinByKey.get(key) ?? this.#custom.get(key)?.[0];
  }

  byKind(apiVersion: string, kind: string): Resource | undefined {
    return this.all().find((resource) => resource.apiVersion === apiVersion && resource.kind === kind);
  }

  all(): readonly Resource[] {
    return this.#byPath.size === 0 ? builtinResources : [...builtinResources, ...this.#byPath.values()];
  }

  /** Serves, or stops serving, what a CustomResourceDefinition defines. */
  define(definition: KubeObject): void {
    this.forget(definition);
    const resources = resourcesOf(definition);
    this.#custom.set(definition.metadata.name, resources);
    for (const resource of resources) this.#byPath.set(`${resource.apiVersion}/${resource.plural}`, resource);
  }

  forget(definition: KubeObject): void {
    for (const resource of this.#custom.get(definition.metadata.name) ?? []) {
      this.#byPath.delete(`${resource.apiVersion}/${resource.plural}`);
    }
    this.#custom.delete(definition.metadata.name);
  }
}

function resourcesOf(definition: KubeObject): Resource[] {
  const group = stringAt(definition, 'spec', 'group') ?? '';
  const names = objectAt(definition, 'spec', 'names');
  const plural = stringAt(names, 'plural') ?? '';
  const kind = stringAt(names, 'kind') ?? '';
  const shortNames = arrayAt(names, 'shortNames').filter((name) => typeof name === 'string');
  const categories = arrayAt(names, 'categories').filter((name) => typeof name === 'string');
  return arrayAt(definition, 'spec', 'versions')
    .filter(isObject)
    .filter((version) => version['served'] === true)
    .map((version) => {
      const name = stringAt(version, 'name') ?? '';
      const subresources: Subresource[] = Object.keys(objectAt(version, 'subresources') ?? {}).map((subresource) => ({
        name: subresource,
        ...(subresource === 'scale'
          ? { kind: 'Scale', group: 'autoscaling', version: 'v1' }
          : { kind, group, version: name }),
        verbs: ['get', 'patch', 'update'],
      }));
      return {
        key: resourceKey(group, plural),
        group,
        version: name,
        apiVersion: groupVersion(group, name),
        kind,
        plural,
        singular: stringAt(names, 'singular') ?? kind.toLowerCase(),
        namespaced: stringAt(definition, 'spec', 'scope') === 'Namespaced',
        verbs,
        ...(shortNames.length > 0 && { shortNames }),
        ...(categories.length > 0 && { categories }),
        subresources,
        hasStatus: subresources.some((subresource) => subresource.name === 'status'),
        hasGeneration: true,
        type: customType(objectAt(version, 'schema', 'openAPIV3Schema')),
        custom: true,
      };
    });
}

/** Metadata is that of every object, whatever the definition says of it. */
function customType(schema: ReturnType<typeof objectAt>): TypeNode {
  const type = schema ? typeFromOpenApi(schema) : deduced;
  if (type.kind !== 'struct') return deduced;
  const own: [string, TypeNode][] = [
    ['apiVersion', text],
    ['kind', text],
    ['metadata', objectMetaType],
  ];
  return { ...type, fields: new Map([...type.fields, ...own]) } satisfies StructNode;
}
