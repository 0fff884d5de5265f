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
  return (message) =>
    withoutCutSecret(
      secrets.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, '***'), message),
      secrets,
    );
};

/** Long messages are cut, maybe in the middle of a value. */
const withoutCutSecret = (message: string, secrets: readonly string[]): string => {
  let end = message.length;
  for (const secret of secrets) {
    const begin = secret.slice(0, MIN_LENGTH);
    let at = message.indexOf(begin, Math.max(0, message.length - secret.length));
    while (at >= 0 && at < end && !secret.startsWith(message.slice(at))) at = message.indexOf(begin, at + 1);
    if (at >= 0 && at < end) end = at;
  }
  return end === message.length ? message : `${message.slice(0, end)}***`;
};

/**
 * For messages about a Secret itself: what the API server quotes there may be part of a value, so quotes are dropped whole, and one that
 * has no end with all that follows.
 */
export const withoutQuotes = (message: string): string => message.replace(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gs, '"***"');
