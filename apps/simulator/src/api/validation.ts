import { arrayAt, at, equal, isArray, isObject, numberAt, objectAt, stringAt } from '../object.ts';
import type { Json, JsonObject, KubeObject } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';
import type { TypeNode } from '../schema/type-schema.ts';
import { duplicate, invalidValue, required } from './status-error.ts';
import type { Cause } from './status-error.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label63 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const configKey = /^[-._a-zA-Z0-9]+$/;
const rbacName = /^[^/%]+$/;

const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelMessage =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const label1035Message =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const labelValueMessage =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** What is obviously wrong with an object that is to be stored. */
export function validate(object: KubeObject, resource: Resource): Cause[] {
  const causes = validateMetadata(object, resource);
  checkRequired(object, resource.type, '', causes);
  if (resource.key === 'configmaps') {
    for (const key of Object.keys(objectAt(object, 'data') ?? {})) {
      if (!configKey.test(key)) {
        causes.push(
          invalidValue(
            `data[${key}]`,
            key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
          ),
        );
      }
    }
  }
  if (templated.has(resource.key)) validateWorkload(object, resource, causes);
  if (resource.key === 'pods') validatePodSpec(objectAt(object, 'spec') ?? {}, 'spec', causes);
  return causes;
}

const templated = new Set([
  'deployments.apps',
  'replicasets.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'jobs.batch',
]);

function validateMetadata(object: KubeObject, resource: Resource): Cause[] {
  const causes: Cause[] = [];
  const { name, labels, namespace } = object.metadata;
  if (resource.group === 'rbac.authorization.k8s.io') {
    if (!rbacName.test(name)) causes.push(invalidValue('metadata.name', name, "may not contain '/'"));
  } else if (resource.key === 'namespaces') {
    if (!label63.test(name) || name.length > 63) causes.push(invalidValue('metadata.name', name, labelMessage));
  } else if (resource.key === 'services') {
    if (!label1035.test(name) || name.length > 63) causes.push(invalidValue('metadata.name', name, label1035Message));
  } else if (!subdomain.test(name)) {
    causes.push(invalidValue('metadata.name', name, subdomainMessage));
  } else if (name.length > 253) {
    causes.push({
      reason: 'FieldValueTooLong',
      message: 'Too long: may not be more than 253 bytes',
      field: 'metadata.name',
    });
  }
  if (!resource.namespaced && namespace !== undefined) {
    causes.push({
      reason: 'FieldValueForbidden',
      message: 'Forbidden: not allowed on this type',
      field: 'metadata.namespace',
    });
  }
  for (const value of Object.values(labels ?? {})) {
    if (!labelValue.test(value) || value.length > 63)
      causes.push(invalidValue('metadata.labels', value, labelValueMessage));
  }
  return causes;
}

/** Structures that a server misses when they are absent; for others, the zero value does. */
const requiredStructures = new Set(['roleRef', 'scaleTargetRef', 'jobTemplate', 'names', 'clientConfig']);

function checkRequired(value: JsonObject, type: TypeNode, path: string, causes: Cause[]): void {
  if (type.kind !== 'struct') return;
  for (const name of type.required) {
    const kind = type.fields.get(name)?.kind;
    const field = path === '' ? name : `${path}.${name}`;
    const child = value[name];
    const missing =
      kind === 'scalar'
        ? isMissingText(child, type.fields.get(name))
        : kind === 'struct'
          ? child === undefined && requiredStructures.has(name)
          : (kind === 'list' || kind === 'keyed') && (child === undefined || (isArray(child) && child.length === 0));
    if (missing) causes.push(required(field));
  }
  for (const key in value) {
    const child = value[key];
    const childType = type.fields.get(key);
    if (child === undefined || !childType || (path === '' && (key === 'metadata' || key === 'status'))) continue;
    const field = path === '' ? key : `${path}.${key}`;
    if (isObject(child)) {
      if (childType.kind === 'struct') checkRequired(child, childType, field, causes);
    } else if (isArray(child) && 'item' in childType) {
      for (const [index, item] of child.entries()) {
        if (isObject(item)) checkRequired(item, childType.item, `${field}[${index}]`, causes);
      }
    }
  }
}

function isMissingText(child: Json | undefined, type: TypeNode | undefined): boolean {
  return type?.kind === 'scalar' && type.scalar === 's' && (child === undefined || child === '');
}

function validateWorkload(object: KubeObject, resource: Resource, causes: Cause[]): void {
  const replicas = numberAt(object, 'spec', 'replicas');
  if (replicas !== undefined && replicas < 0) {
    causes.push(invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'));
  }
  const selector = objectAt(object, 'spec', 'selector');
  if (!selector && resource.key !== 'jobs.batch') causes.push(required('spec.selector'));
  const labels = objectAt(object, 'spec', 'template', 'metadata', 'labels');
  if (resource.key !== 'jobs.batch' && !selectorMatches(selector, labels ?? {})) {
    causes.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  const spec = objectAt(object, 'spec', 'template', 'spec') ?? {};
  validatePodSpec(spec, 'spec.template.spec', causes);
  const policy = stringAt(spec, 'restartPolicy');
  if (resource.key === 'jobs.batch' && policy === 'Always') {
    causes.push({
      reason: 'FieldValueNotSupported',
      message: 'Unsupported value: "Always": supported values: "OnFailure", "Never"',
      field: 'spec.template.spec.restartPolicy',
    });
  } else if (resource.key !== 'jobs.batch' && policy !== undefined && policy !== 'Always') {
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Always"`,
      field: 'spec.template.spec.restartPolicy',
    });
  }
}

function validatePodSpec(spec: JsonObject, path: string, causes: Cause[]): void {
  const containers = arrayAt(spec, 'containers');
  if (containers.length === 0 && !causes.some((cause) => cause.field === `${path}.containers`)) {
    causes.push(required(`${path}.containers`));
  }
  const names = new Set<string>();
  const volumes = new Set(arrayAt(spec, 'volumes').map((volume) => stringAt(volume, 'name')));
  for (const [index, container] of containers.entries()) {
    const name = stringAt(container, 'name') ?? '';
    if (names.has(name)) causes.push(duplicate(`${path}.containers[${index}].name`, name));
    names.add(name);
    if ((stringAt(container, 'image') ?? '') === '') causes.push(required(`${path}.containers[${index}].image`));
    for (const [at, mount] of arrayAt(container, 'volumeMounts').entries()) {
      const volume = stringAt(mount, 'name') ?? '';
      if (volumes.has(volume) || path === 'spec') continue;
      causes.push({
        reason: 'FieldValueNotFound',
        message: `Not found: ${JSON.stringify(volume)}`,
        field: `${path}.containers[${index}].volumeMounts[${at}].name`,
      });
    }
  }
}

export function selectorMatches(selector: JsonObject | undefined, labels: JsonObject): boolean {
  if (!selector) return false;
  const exact = Object.entries(objectAt(selector, 'matchLabels') ?? {});
  const expressions = arrayAt(selector, 'matchExpressions');
  if (exact.length === 0 && expressions.length === 0) return false;
  return (
    exact.every(([key, value]) => labels[key] === value) &&
    expressions.every((expression) => {
      const value = labels[stringAt(expression, 'key') ?? ''];
      const values = arrayAt(expression, 'values');
      switch (stringAt(expression, 'operator')) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}

/** Whether a value at a path differs between two versions of an object. */
export function differsAt(before: JsonObject, after: JsonObject, ...path: readonly string[]): boolean {
  return !equal(at(before, ...path), at(after, ...path));
}
