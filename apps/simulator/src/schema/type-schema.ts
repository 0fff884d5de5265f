import { isArray, isObject, stringAt } from '../object.ts';
import type { Json, JsonObject } from '../object.ts';

/** How values of a type are told apart, merged and owned (structured merge of server-side apply). */
export type TypeNode =
  | { readonly kind: 'scalar'; readonly scalar: 's' | 'i' | 'n' | 'b' | 'x' }
  | { readonly kind: 'any'; readonly atomic: boolean }
  | StructNode
  | { readonly kind: 'map'; readonly value: TypeNode }
  | { readonly kind: 'list'; readonly item: TypeNode }
  | { readonly kind: 'set'; readonly item: TypeNode }
  | { readonly kind: 'keyed'; readonly keys: readonly string[]; readonly item: TypeNode };

export interface StructNode {
  readonly kind: 'struct';
  readonly atomic: boolean;
  readonly fields: ReadonlyMap<string, TypeNode>;
  readonly required: readonly string[];
  /** Unknown fields are kept (x-kubernetes-preserve-unknown-fields). */
  readonly open: boolean;
}

/** Objects without a schema: maps are merged, lists are replaced. */
export const deduced: TypeNode = { kind: 'any', atomic: false };
const opaque: TypeNode = { kind: 'any', atomic: true };

interface CompactStructure {
  readonly f: Readonly<Record<string, string>>;
  readonly r?: readonly string[];
}

/** Turns the compact notation of the generated table (explained in its generator) into nodes, on demand. */
export class CompactSchema {
  readonly #structures: readonly CompactStructure[];
  readonly #nodes = new Map<string, TypeNode>();

  constructor(structures: readonly CompactStructure[]) {
    this.#structures = structures;
  }

  node(text: string): TypeNode {
    const known = this.#nodes.get(text);
    if (known) return known;
    const made = this.#make(text);
    this.#nodes.set(text, made);
    return made;
  }

  #make(text: string): TypeNode {
    const head = text[0];
    switch (head) {
      case 's':
      case 'i':
      case 'n':
      case 'b':
      case 'x':
        return { kind: 'scalar', scalar: head };
      case 'M':
        return { kind: 'map', value: this.node(text.slice(2)) };
      case 'L':
        return { kind: 'list', item: this.node(text.slice(2)) };
      case 'S':
        return { kind: 'set', item: this.node(text.slice(2)) };
      case 'K': {
        const end = text.indexOf(':', 2);
        return { kind: 'keyed', keys: text.slice(2, end).split(','), item: this.node(text.slice(end + 1)) };
      }
      case 'D':
      case 'A':
        return this.#struct(text, Number(text.slice(1)), head === 'A');
      default:
        return opaque;
    }
  }

  #struct(text: string, index: number, atomic: boolean): TypeNode {
    const structure = this.#structures[index];
    if (!structure) return opaque;
    const fields = new Map<string, TypeNode>();
    // Set before its fields are made: schemas such as JSONSchemaProps contain themselves.
    const node: StructNode = { kind: 'struct', atomic, fields, required: structure.r ?? [], open: false };
    this.#nodes.set(text, node);
    for (const [name, type] of Object.entries(structure.f)) fields.set(name, this.node(type));
    return node;
  }
}

const scalarOf: Readonly<Record<string, 's' | 'i' | 'n' | 'b'>> = {
  string: 's',
  integer: 'i',
  number: 'n',
  boolean: 'b',
};

/** The type that a structural schema of a CustomResourceDefinition declares. */
export function typeFromOpenApi(schema: JsonObject): TypeNode {
  if (schema['x-kubernetes-int-or-string'] === true) return { kind: 'scalar', scalar: 'x' };
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const type = stringAt(schema, 'type');
  const properties = schema['properties'];
  if (isObject(properties)) {
    const fields = new Map<string, TypeNode>();
    for (const [name, property] of Object.entries(properties)) {
      if (isObject(property)) fields.set(name, typeFromOpenApi(property));
    }
    const atomic = schema['x-kubernetes-map-type'] === 'atomic';
    const required = isArray(schema['required']) ? schema['required'].filter((name) => typeof name === 'string') : [];
    return { kind: 'struct', atomic, fields, required, open };
  }
  if (type === 'object') {
    const values = schema['additionalProperties'];
    if (isObject(values) && schema['x-kubernetes-map-type'] !== 'atomic') {
      return { kind: 'map', value: typeFromOpenApi(values) };
    }
    return open || values !== undefined
      ? deduced
      : { kind: 'struct', atomic: false, fields: new Map(), required: [], open };
  }
  if (type === 'array') return listType(schema);
  const scalar = scalarOf[type ?? ''];
  return scalar ? { kind: 'scalar', scalar } : deduced;
}

function listType(schema: JsonObject): TypeNode {
  const items: Json | undefined = schema['items'];
  const item = isObject(items) ? typeFromOpenApi(items) : deduced;
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] === 'map' && isArray(keys)) {
    return { kind: 'keyed', keys: keys.filter((key) => typeof key === 'string'), item };
  }
  return schema['x-kubernetes-list-type'] === 'set' ? { kind: 'set', item } : { kind: 'list', item };
}
