import type { FleetReading, RenderedBundle, RenderError, RenderRequest, RenderValues } from '@breakwater/application';
import type { FleetFile, ReadOptions } from '@breakwater/domain';
import { makeBundle } from '../bundle.ts';
import { readHelmOutput } from '../helm-output.ts';
import type { FoundDocument } from '../manifest-documents.ts';
import { readManifest } from '../manifest-documents.ts';
import { collect, fail, RenderFailure } from '../render-failure.ts';
import type { Limits } from '../render-limits.ts';
import { substitute } from '../substitution.ts';
import { readFleet } from './read-fleet.ts';

/** What a source came to before anything read it as YAML. */
export type SourceText =
  | {
      readonly kind: 'plain';
      readonly files: readonly { readonly file: string; readonly text: string }[];
      /** Null: no substitution. */
      readonly values: RenderValues | null;
    }
  | { readonly kind: 'kustomize'; readonly file: string; readonly text: string }
  | { readonly kind: 'helm'; readonly shownAs: string; readonly first: string; readonly again: string };

/** Each kind of work: data in, data out, nothing else; it crosses a thread's border by structured clone. */
export interface WorkKinds {
  readonly manifest: {
    readonly input: { readonly text: string; readonly file: string; readonly limits: Limits };
    readonly output: readonly FoundDocument[];
  };
  readonly substitute: {
    readonly input: { readonly text: string; readonly values: RenderValues; readonly file: string };
    readonly output: string;
  };
  readonly bundle: {
    readonly input: {
      readonly source: SourceText;
      readonly request: Omit<RenderRequest, 'signal'>;
      readonly limits: Limits;
    };
    readonly output: RenderedBundle;
  };
  readonly fleet: {
    readonly input: {
      readonly files: readonly FleetFile[];
      readonly paths: readonly string[];
      readonly limits: ReadOptions;
    };
    readonly output: FleetReading;
  };
}

export type WorkKind = keyof WorkKinds;
type Workers = { readonly [K in WorkKind]: (input: WorkKinds[K]['input']) => WorkKinds[K]['output'] };

export interface Question<K extends WorkKind = WorkKind> {
  readonly kind: K;
  readonly input: WorkKinds[K]['input'];
}

export type Answer =
  | { readonly kind: 'done'; readonly output: WorkKinds[WorkKind]['output'] }
  | { readonly kind: 'failed'; readonly errors: readonly RenderError[] }
  | { readonly kind: 'defect'; readonly error: unknown };

const documentsOf = (
  source: SourceText,
  limits: Limits,
): { readonly documents: readonly FoundDocument[]; readonly warnings: readonly string[] } => {
  switch (source.kind) {
    case 'plain': {
      const { files, values } = source;
      const documents = collect(files, ({ file, text }) =>
        readManifest(values === null ? text : substitute(text, values, file), file, limits),
      ).flat();
      return { documents, warnings: [] };
    }
    case 'kustomize': {
      const found = readManifest(source.text, source.file, limits);
      return { documents: found.map((one) => ({ ...one, line: undefined })), warnings: [] };
    }
    case 'helm':
      return readHelmOutput(source, limits);
  }
};

const WORKERS: Workers = {
  manifest: ({ text, file, limits }) => readManifest(text, file, limits),
  substitute: ({ text, values, file }) => substitute(text, values, file),
  bundle: ({ source, request, limits }) => {
    const { documents, warnings } = documentsOf(source, limits);
    return makeBundle(documents, request, limits, warnings);
  },
  fleet: readFleet,
};

const fileOf = ({ kind, input }: Question): string | undefined => {
  if (kind === 'bundle') return (input as WorkKinds['bundle']['input']).request.path;
  return 'file' in input ? input.file : undefined;
};

/** Never throws: a thread that dies by an exception cannot say which. */
export const answerTo = <K extends WorkKind>(question: Question<K>): Answer => {
  try {
    return { kind: 'done', output: WORKERS[question.kind](question.input) };
  } catch (error) {
    if (error instanceof RenderFailure) return { kind: 'failed', errors: error.errors };
    // What recurses over documents (parser, visitor, copier) ends here for one that is nested absurdly deep.
    if (error instanceof RangeError) {
      const where = { file: fileOf(question as unknown as Question) };
      return {
        kind: 'failed',
        errors: fail('TooLarge', 'a document is nested too deeply', 'make it flatter', where).errors,
      };
    }
    return { kind: 'defect', error };
  }
};
