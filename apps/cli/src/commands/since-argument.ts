import { parseDuration } from '@breakwater/domain';
import { InvalidArgumentError } from 'commander';
import type { CliIo } from '../cli-io.ts';

/** `2h` ago, or a time. */
export const sinceArgument =
  (io: CliIo) =>
  (text: string): string => {
    const ms = parseDuration(text);
    if (ms !== null) return new Date(io.now() - ms).toISOString();
    if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
    throw new InvalidArgumentError('It must be a duration such as 2h, or a time such as 2026-01-02T15:04:05Z.');
  };
