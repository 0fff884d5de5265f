import type { MeasureRequest } from '@breakwater/application';

export const TEMPLATE_TOKENS = ['cluster', 'region', 'application', 'fleet', 'namespace', 'commit', 'wave'] as const;
export type TemplateToken = (typeof TEMPLATE_TOKENS)[number];
export type TemplateValues = Readonly<Record<TemplateToken, string>>;
/** Makes a value mean only itself at the place where it goes. */
export type Escape = (value: string) => string;

const TOKEN = new RegExp(`\\{(${TEMPLATE_TOKENS.join('|')})\\}`, 'g');

/** Replaces the exact tokens, once: what a value brings is not looked at again. Other braces (PromQL's) stay as they are. */
export const fillTemplate = (text: string, values: TemplateValues, escape: Escape): string =>
  text.replaceAll(TOKEN, (_token, name: TemplateToken) => escape(values[name]));

/** Does what is measured differ from cluster to cluster? */
export const isPerCluster = (...texts: readonly string[]): boolean =>
  texts.some((text) => text.includes('{cluster}') || text.includes('{region}'));

export const templateValues = (
  request: Pick<MeasureRequest, 'rollout' | 'wave'>,
  cluster: { readonly name: string; readonly region: string } | null,
): TemplateValues => ({
  cluster: cluster?.name ?? '',
  region: cluster?.region ?? '',
  application: request.rollout.application,
  fleet: request.rollout.fleet,
  namespace: request.rollout.namespace,
  commit: request.rollout.revision.commit,
  wave: request.wave,
});

export const asText: Escape = (value) => value;

/** For paths and queries of addresses; a dot alone would move in the path. */
export const asUrlComponent: Escape = (value) =>
  encodeURIComponent(value).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const hex = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** Inside of a PromQL string, whichever quotes it has: nothing ends it. */
export const asPromqlString: Escape = (value) =>
  value.replaceAll('\\', '\\\\').replaceAll(/["'`\p{Cc}]/gu, (character) => hex(character));
