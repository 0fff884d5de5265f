import type { JsonValue } from '../fleet/index.ts';
import { FLEET_KINDS, isJsonObject } from '../fleet/index.ts';
import { editDistance } from './did-you-mean.ts';
import type { DocumentErrorReason } from './document-error.ts';
import { API_VERSION } from './schema/document.schema.ts';

/** `nearly`: meant for us by every sign but its apiVersion. Ignoring it would make a typo look like a removal. */
export type Recognition =
  | { readonly ours: 'yes' }
  | { readonly ours: 'no' }
  | {
      readonly ours: 'nearly';
      readonly problem: { readonly reason: DocumentErrorReason; readonly message: string; readonly remedy: string };
    };

const GROUP = 'breakwater.dev';
const TYPO = 3;

const nearlyOurs = (apiVersion: string): boolean =>
  apiVersion.startsWith(`${GROUP}/`) ||
  (Math.abs(apiVersion.length - API_VERSION.length) <= TYPO && editDistance(apiVersion, API_VERSION) <= TYPO);

const KIND_LINE = new RegExp(
  `^[ \\t]{0,8}["']?kind["']?[ \\t]{0,8}:[ \\t]{0,8}["']?(${FLEET_KINDS.join('|')})\\b`,
  'm',
);
const API_VERSION_VALUE = /apiVersion["']?[ \t]{0,8}:[ \t]{0,8}["']?([^\s"'#,}]{1,80})/g;

/** A quick look at the text: parsing is dear, and most YAML of a repository is somebody else's. */
export const mayBeOurs = (text: string): boolean => {
  if (/breakwater/i.test(text)) return true;
  if (!text.includes('apiVersion')) return KIND_LINE.test(text);
  for (const match of text.matchAll(API_VERSION_VALUE)) {
    const value = match[1] ?? '';
    // An escape or an alias may say our version without spelling it.
    if (value.includes('\\') || value.startsWith('*') || nearlyOurs(value)) return true;
  }
  return false;
};

const CLAIM = new RegExp(
  `(?:^|[{,]\\s{0,200})["']?apiVersion["']?[ \\t:=]{0,8}["']?${GROUP.replace('.', '\\.')}\\b`,
  'm',
);

/** Whether a text that cannot be read as YAML was meant as a fleet document: a broken file of somebody else's is not our error. */
export const claimsToBeOurs = (text: string): boolean => CLAIM.test(text);

const known = (kind: JsonValue | undefined): boolean => (FLEET_KINDS as readonly unknown[]).includes(kind);

const hasOurShape = (value: { readonly [key: string]: JsonValue }): boolean =>
  known(value['kind']) &&
  isJsonObject(value['metadata']) &&
  typeof value['metadata']['name'] === 'string' &&
  isJsonObject(value['spec']);

export const recognise = (value: JsonValue): Recognition => {
  if (!isJsonObject(value)) return { ours: 'no' };
  const apiVersion = Object.hasOwn(value, 'apiVersion') ? value['apiVersion'] : undefined;
  if (apiVersion === API_VERSION) return { ours: 'yes' };
  const remedy = `write apiVersion: ${API_VERSION}`;
  if (typeof apiVersion === 'string' && nearlyOurs(apiVersion)) {
    const message = `${JSON.stringify(apiVersion)} is not a version of fleet documents`;
    return { ours: 'nearly', problem: { reason: 'UnknownVersion', message, remedy } };
  }
  if (apiVersion === undefined && hasOurShape(value))
    return { ours: 'nearly', problem: { reason: 'MissingField', message: 'is missing', remedy } };
  return { ours: 'no' };
};
