import type { KubeObject } from '@breakwater/domain';

const MIN_LENGTH = 4;

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const valuesOf = (secret: KubeObject): string[] => {
  const plain = Object.values(record(secret['stringData'])).filter((value) => typeof value === 'string');
  const encoded = Object.values(record(secret['data'])).filter((value) => typeof value === 'string');
  return [
    ...plain,
    ...plain.map((value) => Buffer.from(value).toString('base64')),
    ...encoded,
    ...encoded.map((value) => Buffer.from(value, 'base64').toString('utf8')),
  ];
};

/**
 * Takes the values of these Secrets out of messages. API servers quote what they refuse; admission webhooks quote anything.
 * Longest first, so that a value that contains another leaves no remainder.
 */
export const scrubberFor = (objects: readonly KubeObject[]): ((message: string) => string) => {
  const values = objects
    .filter((object) => object.kind === 'Secret')
    .flatMap(valuesOf)
    .flatMap((value) => [value, ...value.split('\n'), JSON.stringify(value).slice(1, -1)])
    .map((value) => value.trim())
    .filter((value) => value.length >= MIN_LENGTH);
  const secrets = [...new Set(values)].sort((a, b) => b.length - a.length);
  return (message) => secrets.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, '***'), message);
};

/** For messages about a Secret itself: what the API server quotes there may be part of a value, so quotes are dropped whole. */
export const withoutQuotes = (message: string): string => message.replace(/"(?:[^"\\]|\\.)*"/g, '"***"');
