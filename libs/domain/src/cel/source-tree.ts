import type { ASTNode } from '@marcbachmann/cel-js';
import { BOUNDED, FUNCTIONS, METHODS } from './functions.ts';

/**
 * How the result of a node is paid for beyond one step, by what its parent does with it: a comparison reads all of it, a sum
 * of lists copies them, a macro lists the keys of a mapping, a conversion reads digits by worse than one pass.
 */
export type Reading = 'all' | 'entries' | 'digits';

export interface SourceProblem {
  readonly node: ASTNode;
  readonly message: string;
  readonly remedy: string;
}

const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
const MACROS_WITHIN = 3;

const allowedCalls = `Use ${[...FUNCTIONS, 'has', 'timestamp'].sort().join(', ')}, or on a value ${[...METHODS].sort().join(', ')}.`;

/** Looks over a parsed expression, and puts the bounded functions in the place of the evaluator's own. */
export class SourceTree {
  readonly #readings = new Map<ASTNode, Reading>();
  problem: SourceProblem | null = null;

  constructor(root: ASTNode) {
    this.#visit(root, 0);
  }

  readingOf(node: ASTNode): Reading | undefined {
    return this.#readings.get(node);
  }

  #visit(node: ASTNode, macros: number): void {
    if (this.problem !== null) return;
    switch (node.op) {
      case 'call':
        return this.#visitCall(node.args, node, macros);
      case 'rcall':
        return this.#visitMethod(node.args, node, macros);
      case '==':
      case '!=':
      case 'in':
        return this.#visitAll(node.args, macros, 'all');
      case '+':
        return this.#visitAll(node.args, macros, 'entries');
      case 'map':
        return node.args.forEach((entry) => this.#visitAll(entry, macros));
      case '!_':
      case '-_':
        return this.#visit(node.args, macros);
      case 'value':
      case 'id':
        return;
      case '.':
      case '.?':
        return this.#visit(node.args[0], macros);
      case '[]':
      case '[?]':
      case 'list':
      case '?:':
      case '||':
      case '&&':
      case '-':
      case '*':
      case '/':
      case '%':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.#visitAll(node.args, macros);
    }
  }

  #visitCall(args: readonly [string, readonly ASTNode[]], node: ASTNode, macros: number): void {
    const [name, operands] = args;
    if (!FUNCTIONS.has(name) && name !== 'has' && name !== 'timestamp') return this.#refuse(node, name);
    rename(node, name);
    this.#visitAll(operands, macros, name === 'size' || name === 'string' ? undefined : 'digits');
  }

  #visitMethod(args: readonly [string, ASTNode, readonly ASTNode[]], node: ASTNode, macros: number): void {
    const [name, receiver, operands] = args;
    if (!METHODS.has(name)) return this.#refuse(node, name);
    const within = MACROS.has(name) ? macros + 1 : macros;
    if (within > MACROS_WITHIN) {
      this.problem = {
        node,
        message: `${name}() is the ${MACROS_WITHIN + 1}th loop within loops`,
        remedy: `Write at most ${MACROS_WITHIN} of all, exists, exists_one, filter and map within each other.`,
      };
      return;
    }
    rename(node, name);
    if (MACROS.has(name)) this.#readings.set(receiver, 'entries');
    this.#visit(receiver, macros);
    this.#visitAll(operands, within);
  }

  #visitAll(nodes: readonly ASTNode[], macros: number, reading?: Reading): void {
    for (const node of nodes) {
      if (reading !== undefined) this.#readings.set(node, reading);
      this.#visit(node, macros);
    }
  }

  #refuse(node: ASTNode, name: string): void {
    this.problem = { node, message: `${name}() is not a function of these expressions`, remedy: allowedCalls };
  }
}

/** The evaluator looks functions up by name when it checks types, which comes later. */
const rename = (node: ASTNode, name: string): void => {
  const bounded = BOUNDED.get(name);
  if (bounded !== undefined) (node.args as unknown as unknown[])[0] = bounded;
};
