import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

export type Log = Logger;
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'token',
  'password',
  'secret',
  'privateKey',
  'kubeconfig',
  'credentials',
  'stringData',
  'encryptionKey',
];
/** Two levels deep: log calls name ids as fields, never whole requests or objects. */
const redactPaths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi;
const BEARER = /\b(bearer|basic|token)\s+([A-Za-z0-9._~+/=-]{8,})/gi;
/** `basic explanation` is prose. */
const looksSecret = (text: string): boolean => text.length >= 16 || /[0-9A-Z=_]/.test(text);
const BREAKWATER_TOKEN = /\bbwg?_[A-Za-z0-9_.-]{20,}/g;

/** Takes credentials out of text that comes from elsewhere, such as the message of a library's error. */
export const scrub = (text: string): string =>
  text
    .replace(URL_CREDENTIALS, '$1[redacted]@')
    .replace(BEARER, (all, scheme: string, value: string) => (looksSecret(value) ? `${scheme} [redacted]` : all))
    .replace(BREAKWATER_TOKEN, '[redacted]');

interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields;
}

const describeError = (error: unknown, depth = 0): ErrorFields => {
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an Error' };
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    message: scrub(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: scrub(error.stack) }),
    ...(error.cause === undefined || depth > 3 ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
};

/**
 * JSON lines: a constant message, ids as fields, an error as `err`. Secrets are taken out by field name, and out of the text of errors.
 * `destination` defaults to standard output.
 */
export const createLog = (options: {
  readonly app: string;
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
}): Log =>
  pino(
    {
      level: options.level,
      base: { app: options.app },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      redact: { paths: redactPaths, censor: '[redacted]' },
      serializers: { err: describeError },
    },
    ...(options.destination === undefined ? [] : [options.destination]),
  );
