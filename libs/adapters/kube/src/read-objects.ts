import type { ReadOutcome, ReadRequest } from '@breakwater/application';
import { keyOf } from '@breakwater/domain';
import { refused } from './ended.ts';
import type { KubeApi } from './kube-api.ts';
import { placeOf } from './kube-api.ts';

/** Live objects of one kind, in the version that is asked for. */
export const readObjects = async (api: KubeApi, request: ReadRequest): Promise<ReadOutcome> => {
  const { apiVersion, kind, namespace, name, labels, limit, signal } = request;
  const mapping = await api.discovery.find(apiVersion, kind, signal);
  if (mapping === null) throw refused('KindNotServed', `${apiVersion} ${kind} is not served`);
  // By what the server calls it: no spelling of a kind leads to a Secret.
  if (mapping.group === '' && mapping.plural === 'secrets') {
    throw refused(
      'Forbidden',
      'Secrets are not read for gates',
      keyOf({ group: '', kind, namespace, name: name ?? '' }),
    );
  }
  if (name !== undefined) {
    const object = await api.get(placeOf(mapping, namespace, name), signal);
    return { kind: 'Read', objects: object === null ? [] : [object], complete: true };
  }
  const selector = Object.entries(labels ?? {}).map(([label, value]) => `${label}=${value}`);
  const query: Record<string, string> = selector.length === 0 ? {} : { labelSelector: selector.join(',') };
  const { items, complete } = await api.list(mapping, namespace, signal, { query, limit });
  return { kind: 'Read', objects: items.slice(0, limit), complete: complete && items.length <= limit };
};
