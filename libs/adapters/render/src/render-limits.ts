import type { RenderLimits } from '@breakwater/application';

export type Limits = { readonly [K in keyof RenderLimits]-?: number };

const DEFAULTS: Limits = {
  objectBytes: 1.5 * 2 ** 20,
  sourceBytes: 20 * 2 ** 20,
  sourceFiles: 10_000,
  aliases: 100,
  depth: 100,
  timeoutMs: 60_000,
  readTimeoutMs: 300_000,
  memoryBytes: 512 * 2 ** 20,
};

export const withDefaults = (limits: RenderLimits | undefined): Limits => ({
  objectBytes: limits?.objectBytes ?? DEFAULTS.objectBytes,
  sourceBytes: limits?.sourceBytes ?? DEFAULTS.sourceBytes,
  sourceFiles: limits?.sourceFiles ?? DEFAULTS.sourceFiles,
  aliases: limits?.aliases ?? DEFAULTS.aliases,
  depth: limits?.depth ?? DEFAULTS.depth,
  timeoutMs: limits?.timeoutMs ?? DEFAULTS.timeoutMs,
  readTimeoutMs: limits?.readTimeoutMs ?? DEFAULTS.readTimeoutMs,
  memoryBytes: limits?.memoryBytes ?? DEFAULTS.memoryBytes,
});

export const mebibytes = (bytes: number): string => `${Math.round((bytes / 2 ** 20) * 100) / 100} MiB`;
