import type { Settings } from '@breakwater/platform';

/** What hostile or mistaken repositories are held to. Sizes in bytes. */
export interface SyncLimits {
  /** Of the repository, and of one application's source. */
  readonly files: number;
  readonly repositoryBytes: number;
  readonly documentBytes: number;
  readonly sourceBytes: number;
  readonly objectBytes: number;
  /** Of one document, as the depth. */
  readonly aliases: number;
  readonly depth: number;
}

/** For `settings.pick`. */
export const LIMIT_SETTINGS = {
  BREAKWATER_LIMIT_FILES: true,
  BREAKWATER_LIMIT_REPOSITORY_BYTES: true,
  BREAKWATER_LIMIT_DOCUMENT_BYTES: true,
  BREAKWATER_LIMIT_SOURCE_BYTES: true,
  BREAKWATER_LIMIT_OBJECT_BYTES: true,
  BREAKWATER_LIMIT_ALIASES: true,
  BREAKWATER_LIMIT_DEPTH: true,
} as const;

export const syncLimits = (config: Pick<Settings, keyof typeof LIMIT_SETTINGS>): SyncLimits => ({
  files: config.BREAKWATER_LIMIT_FILES,
  repositoryBytes: config.BREAKWATER_LIMIT_REPOSITORY_BYTES,
  documentBytes: config.BREAKWATER_LIMIT_DOCUMENT_BYTES,
  sourceBytes: config.BREAKWATER_LIMIT_SOURCE_BYTES,
  objectBytes: config.BREAKWATER_LIMIT_OBJECT_BYTES,
  aliases: config.BREAKWATER_LIMIT_ALIASES,
  depth: config.BREAKWATER_LIMIT_DEPTH,
});
