import { parseDuration } from '@breakwater/domain';
import { z } from 'zod';
import { LOG_LEVELS } from './log.ts';
import { nearest } from './nearest.ts';

/** Every key that is wrong, with what would be right; never a value, which may be a secret. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly code = 'ConfigurationInvalid';
  readonly problems: readonly { readonly key: string; readonly message: string }[];

  constructor(problems: readonly { readonly key: string; readonly message: string }[]) {
    super(`the configuration is wrong:\n${problems.map(({ key, message }) => `  ${key}: ${message}`).join('\n')}`);
    this.problems = problems;
  }
}

const duration = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== null) return ms;
      context.addIssue({ code: 'custom', message: 'must be a duration such as 30s, 5m or 2h' });
      return z.NEVER;
    });

const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .default('false')
  .transform((text) => text === 'true');

const whole = (least: number, most: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`)
    .default(fallback);

const MIB = 2 ** 20;
const bytes = (fallback: number) => whole(1, 999_999_999, fallback);

const address = (...schemes: readonly string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && schemes.includes(new URL(text).protocol),
      `must be an address that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
    );

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whoever reads the way there can answer for a gate. */
const publicAddress = () =>
  z.string().refine((text) => {
    const url = URL.parse(text);
    if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
      return false;
    return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname));
  }, 'must be an address that begins with https:// and has no password, query or fragment; http:// only on this machine');

/** The settings that the programs share; each takes from it what it needs, by `pick`. */
export const settings = z.object({
  BREAKWATER_HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  BREAKWATER_PORT: whole(0, 65_535, 8080).describe('Port to listen on'),
  BREAKWATER_DATA: z.string().min(1).optional().describe('Directory for everything that is kept'),
  BREAKWATER_LOG_LEVEL: z
    .enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`)
    .default('info')
    .describe('Least level that is logged'),
  DATABASE_URL: address('postgres:', 'postgresql:').optional().describe('PostgreSQL; without it, the embedded one'),
  REDIS_URL: address('redis:', 'rediss:')
    .optional()
    .describe('Redis for wake-ups; without it, PostgreSQL carries them'),
  BREAKWATER_ENCRYPTION_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('File with the key that bundles are sealed with'),
  BREAKWATER_CREDENTIALS: z.string().min(1).optional().describe('Directory of NAME.kubeconfig files'),
  BREAKWATER_ALLOW_KUBECONFIG_FILES: flag.describe(
    'Let kubeconfigs name certificate and key files; exec plug-ins are refused even so',
  ),
  BREAKWATER_REPOSITORY: z.string().min(1).optional().describe('Address or path of the fleet repository'),
  BREAKWATER_REPOSITORY_CREDENTIALS: z
    .string()
    .min(1)
    .optional()
    .describe('Name of the credentials that the fleet repository is read with'),
  BREAKWATER_REF: z.string().min(1).default('main').describe('Branch, tag or commit that is followed'),
  BREAKWATER_POLL: duration('30s').describe('How often Git is asked'),
  BREAKWATER_KEEP_RELEASES: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe('Releases of each application that are kept, besides all that something refers to'),
  BREAKWATER_ADMIN_TOKEN_FILE: z
    .string()
    .min(1)
    .optional()
    .describe("File that the first administrator's token is written to"),
  BREAKWATER_GATE_HOSTS: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((host) => (host.trim() === '' ? [] : [host.trim()])))
    .describe('Hosts that gates may talk to: host, host:port or *.suffix, with commas between; none by default'),
  BREAKWATER_GATE_SECRETS: z.string().min(1).optional().describe('Directory of NAME.token files that gates may use'),
  BREAKWATER_PUBLIC_URL: publicAddress()
    .optional()
    .describe('Address of the API as servers reach it that gates ask, for their call-backs; none by default'),
  BREAKWATER_LIMIT_FILES: whole(1, 1_000_000, 10_000).describe('Most files of the fleet repository, and of a source'),
  BREAKWATER_LIMIT_REPOSITORY_BYTES: bytes(256 * MIB).describe('Most bytes of files in the fleet repository'),
  BREAKWATER_LIMIT_DOCUMENT_BYTES: bytes(MIB).describe('Most bytes of a fleet document'),
  BREAKWATER_LIMIT_SOURCE_BYTES: bytes(20 * MIB).describe("Most bytes of an application's source"),
  BREAKWATER_LIMIT_OBJECT_BYTES: bytes(1.5 * MIB).describe('Most bytes of a rendered object'),
  BREAKWATER_LIMIT_ALIASES: whole(0, 10_000, 100).describe('Most YAML aliases in a document'),
  // Deeper ones would exhaust the stack of whoever reads them.
  BREAKWATER_LIMIT_DEPTH: whole(1, 500, 100).describe('Most levels of a document'),
  BREAKWATER_HOOK_SECRET_FILE: z.string().min(1).optional().describe('File with the secret of the Git webhooks'),
});
export type Settings = z.output<typeof settings>;

const freeze = <T>(value: T): Readonly<T> => {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
};

/**
 * Parses the environment once, at start. Keys outside `schema` are ignored, but an unknown `BREAKWATER_…` is an error: it is a typo that would
 * otherwise leave a default in force. An empty value counts as absent.
 * @throws {ConfigurationError} with every bad key
 */
export const loadConfiguration = <S extends z.ZodObject>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
  options: { readonly alsoKnown?: readonly string[] } = {},
): Readonly<z.output<S>> => {
  const keys = Object.keys(schema.shape);
  const known = new Set([
    ...keys,
    ...Object.keys(settings.shape),
    ...(options.alsoKnown ?? []),
    'BREAKWATER_URL',
    'BREAKWATER_TOKEN',
  ]);
  const problems: { key: string; message: string }[] = [];
  for (const key of Object.keys(environment)) {
    if (!key.startsWith('BREAKWATER_') || known.has(key)) continue;
    const meant = nearest(key, [...known]);
    problems.push({ key, message: `is not a setting${meant === null ? '' : `; did you mean ${meant}?`}` });
  }
  const given = Object.fromEntries(
    keys.flatMap((key) => (environment[key] === undefined || environment[key] === '' ? [] : [[key, environment[key]]])),
  );
  const parsed = schema.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0] ?? '');
    problems.push({ key, message: key in given ? issue.message : 'is required' });
  }
  if (!parsed.success || problems.length > 0) throw new ConfigurationError(problems);
  return freeze(parsed.data);
};
