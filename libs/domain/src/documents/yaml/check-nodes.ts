import type { Document, Node } from 'yaml';
import { isAlias, isCollection, isMap, isPair, isScalar, isSeq } from 'yaml';
import type { DocumentErrorReason, FieldPath } from '../document-error.ts';
import { fieldText } from '../document-error.ts';
import { HOSTILE_KEYS } from '../../fleet/index.ts';
import { keyText } from './node-positions.ts';
import type { YamlLimits } from './yaml-problem.ts';

export interface NodeProblem {
  readonly offset: number;
  readonly field: string;
  readonly reason: DocumentErrorReason;
  readonly message: string;
  readonly remedy: string;
}

interface Measure {
  readonly nodes: number;
  readonly depth: number;
}

/** What aliases may add to a document's own nodes: a hundred aliases of aliases can say 10^30 otherwise. */
const MAX_EXPANSION = 100_000;
const LEAF: Measure = { nodes: 1, depth: 0 };

/**
 * Walks a composed document once and says what must not reach the validation: too many aliases, one that contains itself, an
 * expansion or a depth over the limits, a key that is there twice, a key that reaches prototypes, and numbers and texts that
 * JSON cannot carry. The first problem ends the walk.
 */
export const checkNodes = (document: Document, limits: YamlLimits): NodeProblem | null => {
  const walk = new NodeWalk(document, limits);
  walk.visit(document.contents, []);
  return walk.problem;
};

class NodeWalk {
  problem: NodeProblem | null = null;
  private aliases = 0;
  private readonly open = new Set<Node>();
  private readonly measured = new Map<Node, Measure>();
  private readonly document: Document;
  private readonly limits: YamlLimits;

  constructor(document: Document, limits: YamlLimits) {
    this.document = document;
    this.limits = limits;
  }

  /** Nodes come before the aliases to them, so each is measured before an alias needs it. */
  visit(node: unknown, path: FieldPath): Measure {
    if (this.problem !== null || node === null || node === undefined) return LEAF;
    if (isAlias(node)) return this.visitAlias(node, path);
    if (isScalar(node)) {
      this.checkScalar(node.value, node, path);
      return LEAF;
    }
    if (!isCollection(node)) return LEAF;
    this.open.add(node);
    const measure = this.within(this.visitItems(node, path), node, path);
    this.open.delete(node);
    this.measured.set(node, measure);
    return measure;
  }

  private visitItems(node: unknown, path: FieldPath): Measure {
    if (path.length > this.limits.maxDepth) return { nodes: 1, depth: path.length };
    let [nodes, depth] = [1, 0];
    const add = (child: Measure): void => {
      nodes += child.nodes;
      depth = Math.max(depth, child.depth);
    };
    if (isSeq(node)) for (const [index, item] of node.items.entries()) add(this.visit(item, [...path, index]));
    if (isMap(node)) {
      const seen = new Set<string>();
      for (const pair of node.items) {
        if (!isPair(pair)) continue;
        const key = keyText(pair.key);
        this.checkKey(key, seen, pair.key as Node, [...path, key]);
        add(this.visit(pair.value, [...path, key]));
      }
    }
    return { nodes, depth: depth + 1 };
  }

  private visitAlias(node: Node & { resolve(document: Document): unknown }, path: FieldPath): Measure {
    this.aliases += 1;
    if (this.aliases > this.limits.maxAliases) {
      this.report(node, path, 'TooLarge', `has more than ${this.limits.maxAliases} aliases`, 'write some of them out');
      return LEAF;
    }
    const target = node.resolve(this.document) as Node | undefined;
    if (target === undefined) {
      this.report(node, path, 'InvalidYaml', 'is an alias of nothing', 'write the anchor before its alias');
      return LEAF;
    }
    if (this.open.has(target)) {
      this.report(node, path, 'InvalidYaml', 'is an alias of something that it is a part of', 'write it out');
      return LEAF;
    }
    return this.measured.get(target) ?? LEAF;
  }

  private within(measure: Measure, node: Node, path: FieldPath): Measure {
    if (measure.depth > this.limits.maxDepth)
      this.report(node, [], 'TooLarge', `is more than ${this.limits.maxDepth} levels deep`, 'make it flatter');
    if (this.aliases > 0 && measure.nodes > MAX_EXPANSION)
      this.report(node, path, 'TooLarge', 'grows too large when its aliases are written out', 'use fewer aliases');
    return measure;
  }

  private checkKey(key: string, seen: Set<string>, node: Node, path: FieldPath): void {
    if (HOSTILE_KEYS.has(key))
      this.report(node, path, 'HostileKey', `the key "${key}" is refused`, 'choose another name');
    if (seen.has(key) && key !== '<<')
      this.report(node, path, 'DuplicateKey', `the key "${key}" is there twice`, 'keep one of them');
    seen.add(key);
  }

  private checkScalar(value: unknown, node: Node, path: FieldPath): void {
    if (typeof value === 'string') {
      if (value.includes('\u0000') || !value.isWellFormed())
        this.report(node, path, 'InvalidValue', 'holds a NUL or half a character', 'take it out');
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) this.report(node, path, 'InvalidValue', 'is not a finite number', 'write a number');
      else if (Number.isInteger(value) && !Number.isSafeInteger(value))
        this.report(node, path, 'InvalidValue', 'is too large a number to be kept exactly', 'put it in quotes');
    } else if (value !== null && typeof value !== 'boolean') {
      this.report(node, path, 'InvalidValue', 'is of a type that JSON does not have', 'put it in quotes');
    }
  }

  private report(node: Node, path: FieldPath, reason: DocumentErrorReason, message: string, remedy: string): void {
    this.problem ??= { offset: node.range?.[0] ?? 0, field: fieldText(path), reason, message, remedy };
  }
}
