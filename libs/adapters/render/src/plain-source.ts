import type { RenderValues } from '@breakwater/application';
import { fail } from './render-failure.ts';
import type { SourceTree } from './source-files.ts';
import type { SourceText } from './worker/work.ts';

export const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

const MANIFEST = /\.(?:ya?ml|json)$/;

/** Every `.yaml`, `.yml` and `.json` file at or below a path, hidden ones aside. `values` null: no substitution. */
export const renderPlain = async (tree: SourceTree, path: string, values: RenderValues | null): Promise<SourceText> => {
  const files = await tree.list(path, (name) => name.startsWith('.'));
  for (const { path: file } of files) {
    const name = file.split('/').at(-1) ?? '';
    if (KUSTOMIZATION_FILES.includes(name) || name === 'Chart.yaml') {
      const remedy = 'name this directory as the source, or move it out of the source';
      throw fail('SourceAmbiguous', `${name} lies below a directory of plain manifests`, remedy, { file });
    }
  }
  const texts: { file: string; text: string }[] = [];
  for (const file of files.filter(({ path: name }) => MANIFEST.test(name))) {
    texts.push({ file: file.path, text: await tree.text(file) });
  }
  return { kind: 'plain', files: texts, values };
};
