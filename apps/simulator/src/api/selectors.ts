import { at } from '../object.ts';
import type { KubeObject } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import { badRequest } from './status-error.ts';

export type ObjectFilter = (object: KubeObject) => boolean;

const everything: ObjectFilter = () => true;
const key = '[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?';
const value = '[-A-Za-z0-9_.]*';
const setRequirement = new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const equalRequirement = new RegExp(`^(${key})\\s*(==|=|!=)\\s*(${value})$`);
const existsRequirement = new RegExp(`^(!?)\\s*(${key})$`);

/** @throws StatusError 400 for a selector that cannot be read */
export function labelFilter(selector: string | null): ObjectFilter {
  if (selector === null || selector.trim() === '') return everything;
  const requirements = splitRequirements(selector).map(labelRequirement);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return requirements.every((matches) => matches(labels));
  };
}

function splitRequirements(selector: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= selector.length; i += 1) {
    const char = selector[i];
    if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === undefined || (char === ',' && depth === 0)) {
      parts.push(selector.slice(start, i).trim());
      start = i + 1;
    }
  }
  return parts;
}

function labelRequirement(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const set = setRequirement.exec(text);
  if (set) {
    const [, name = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((entry) => entry.trim()));
    return operator === 'in'
      ? (labels) => labels[name] !== undefined && values.has(labels[name])
      : (labels) => labels[name] === undefined || !values.has(labels[name]);
  }
  const equality = equalRequirement.exec(text);
  if (equality) {
    const [, name = '', operator, wanted = ''] = equality;
    return operator === '!=' ? (labels) => labels[name] !== wanted : (labels) => labels[name] === wanted;
  }
  const existence = existsRequirement.exec(text);
  if (existence) {
    const [, not, name = ''] = existence;
    return (labels) => (labels[name] === undefined) === (not === '!');
  }
  throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}`);
}

const selectable: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'status.phase',
    'status.podIP',
  ],
  events: [
    ...['apiVersion', 'fieldPath', 'kind', 'name', 'namespace', 'resourceVersion', 'uid'].map(
      (f) => `involvedObject.${f}`,
    ),
    ...['reason', 'reportingComponent', 'source', 'type'],
  ],
  namespaces: ['status.phase'],
  nodes: ['spec.unschedulable'],
  secrets: ['type'],
  'jobs.batch': ['status.successful'],
  'replicasets.apps': ['status.replicas'],
};

/** @throws StatusError 400 for a field that the kind cannot be selected by */
export function fieldFilter(selector: string | null, resource: Resource): ObjectFilter {
  if (selector === null || selector.trim() === '') return everything;
  const terms = selector.split(',').map((term) => {
    const match = /^\s*([\w.]+)\s*(==|=|!=)(.*)$/.exec(term);
    if (!match) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
    const [, field = '', operator, wanted = ''] = match;
    const common = field === 'metadata.name' || (field === 'metadata.namespace' && resource.namespaced);
    if (!common && !selectable[resource.key]?.includes(field)) throw badRequest(`field label not supported: ${field}`);
    const path = field === 'source' ? ['source', 'component'] : field.split('.');
    return (object: KubeObject): boolean => (String(at(object, ...path) ?? '') === wanted) === (operator !== '!=');
  });
  return (object) => terms.every((matches) => matches(object));
}
