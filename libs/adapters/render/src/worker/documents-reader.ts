import type { FoundDocument } from '../manifest-documents.ts';

/** Reads all documents of one small file, such as `Chart.yaml`. Throws RenderFailure. */
export type ReadManifest = (text: string, file: string) => Promise<readonly FoundDocument[]>;
