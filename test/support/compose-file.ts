import { loadConfiguration, settings } from '@breakwater/platform';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** `docker-compose.yml` as a user gets it who sets nothing but `variables`. */
export class ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;

  private constructor(services: Readonly<Record<string, ComposeService>>) {
    this.services = services;
  }

  static async read(variables: Readonly<Record<string, string>> = {}): Promise<ComposeFile> {
    const text = await readFile(join(import.meta.dirname, '../../docker-compose.yml'), 'utf8');
    const document: unknown = parse(text, { merge: true });
    return new ComposeFile((interpolate(document, variables) as Pick<ComposeFile, 'services'>).services);
  }

  service(name: string): ComposeService {
    const service = this.services[name];
    if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
    return service;
  }

  /**
   * The environment of a service, with the values that are others outside of a container. Its settings are checked.
   * @throws Error for one that the service does not set
   */
  environment(name: string, values: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    const given = this.service(name).environment ?? {};
    for (const key of Object.keys(values)) {
      if (!(key in given)) throw new Error(`docker-compose.yml does not set ${key} for ${name}`);
    }
    const environment = { ...given, ...values };
    loadConfiguration(settings, environment);
    for (const key of Object.keys(environment)) {
      if (!(key in settings.shape)) throw new Error(`${key} of ${name} is not a setting`);
    }
    return environment;
  }
}

/** `${NAME}`, `${NAME:-default}` and `${NAME:?message}` in every value, which is all that the file uses. */
const interpolate = (value: unknown, variables: Readonly<Record<string, string>>): unknown => {
  if (typeof value === 'string') return interpolateText(value, variables);
  if (Array.isArray(value)) return value.map((item) => interpolate(item, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, interpolate(inner, variables)]));
};

const interpolateText = (text: string, variables: Readonly<Record<string, string>>): string =>
  text.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, operator?: string, word = '') => {
    const value = variables[name] ?? '';
    if (value !== '') return value;
    if (operator === '?') throw new Error(`${name}: ${word}`);
    return word;
  });
