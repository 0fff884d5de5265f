import type { RenderError, RenderValues } from '@breakwater/application';
import { isScalar, LineCounter, Scalar, visit } from 'yaml';
import { parseManifest, syntaxErrors } from './manifest-documents.ts';
import { fail, RenderFailure } from './render-failure.ts';

const REFERENCE = /\$(\$?)\{([^}]*)\}/g;
const NAME = /^[A-Za-z_][\w-]*(?:\.[\w-]+)*$/;

interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * Replaces `${a.b}` by values, scalar by scalar, so that no value can change a document's structure: a plain scalar that is nothing
 * but a reference takes the value with its type, in any other scalar the value becomes part of the text. `$${a.b}` stays as `${a.b}`.
 * Everything else keeps its bytes. Throws RenderFailure naming file and line.
 */
export const substitute = (text: string, values: RenderValues, file: string): string => {
  if (!text.includes('${')) return text;
  const lines = new LineCounter();
  const documents = parseManifest(text, lines);
  const errors: RenderError[] = syntaxErrors(documents, lines, file);
  if (errors.length > 0) throw new RenderFailure(errors);
  const replacements: Replacement[] = [];
  for (const document of documents) {
    visit(document, {
      Scalar: (_, node) => {
        if (!isScalar(node) || typeof node.value !== 'string' || !node.value.includes('${') || node.range == null)
          return;
        const [from, to] = node.range;
        const line = lines.linePos(from).line;
        try {
          const block = node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED;
          const value = replaceIn(node.value, node.type === Scalar.PLAIN, values, { file, line });
          const ends = block && text.slice(from, to).endsWith('\n') ? '\n' : '';
          replacements.push({ from, to, text: `${JSON.stringify(value)}${ends}` });
        } catch (error) {
          if (!(error instanceof RenderFailure)) throw error;
          errors.push(...error.errors);
        }
      },
    });
  }
  if (errors.length > 0) throw new RenderFailure(errors);
  let copied = 0;
  const parts: string[] = [];
  for (const { from, to, text: by } of replacements.sort((a, b) => a.from - b.from)) {
    parts.push(text.slice(copied, from), by);
    copied = to;
  }
  return [...parts, text.slice(copied)].join('');
};

type Place = { readonly file: string; readonly line: number };

const replaceIn = (text: string, plain: boolean, values: RenderValues, place: Place): unknown => {
  const whole = /^\$\{([^}]*)\}$/.exec(text)?.[1];
  if (plain && whole !== undefined) return lookUp(whole, values, place);
  return text.replace(REFERENCE, (all, escape: string, name: string) => {
    if (escape !== '') return all.slice(1);
    const value = lookUp(name, values, place);
    if (typeof value === 'object' && value !== null) {
      throw fail(
        'InvalidSubstitution',
        `\${${name}} is not a single value`,
        'use one of its parts, or let it stand alone',
        place,
      );
    }
    return value === null ? '' : String(value);
  });
};

const lookUp = (name: string, values: RenderValues, place: Place): unknown => {
  if (!NAME.test(name)) {
    const shown = `\${${name.slice(0, 60)}}`;
    throw fail('InvalidSubstitution', `${shown} does not name a value`, `write $${shown} to keep it as it is`, place);
  }
  let value: unknown = values;
  for (const part of name.split('.')) {
    const inside = typeof value === 'object' && value !== null && Object.hasOwn(value, part);
    if (!inside) {
      throw fail(
        'ValueMissing',
        `there is no value \${${name}}`,
        `set ${name} in the values, or write $\${${name}} to keep it`,
        {
          ...place,
          field: name,
        },
      );
    }
    value = (value as Record<string, unknown>)[part];
  }
  return value;
};
