import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FILE = 'dist/workers/render.mjs';

/** The bundled thread, in the `dist` of this installation: programs are bundled at different depths of it, and tests run from the sources. */
export const findWorkerFile = (from: string): string => {
  const file = join(from, FILE);
  if (existsSync(file)) return file;
  const above = dirname(from);
  if (above === from) throw new Error(`${FILE} is missing: build the programs again (npm run build)`);
  return findWorkerFile(above);
};
