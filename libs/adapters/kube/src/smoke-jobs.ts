import type { ClusterJobs, JobDeletion, JobLogs, JobOutcome } from '@breakwater/application';
import type { KubeObject } from '@breakwater/domain';

import type { KubeApi, Place } from './kube-api.ts';
import { collectionPath, objectPath, placeOf } from './kube-api.ts';
import { endOf, statusOf } from './kube-status.ts';
import type { ResourceMapping } from './discovery.ts';
import { SessionWriter } from './session-writer.ts';

const mapping = (apiVersion: string, group: string, kind: string, plural: string): ResourceMapping => ({
  apiVersion,
  group,
  kind,
  plural,
  namespaced: true,
  listable: true,
});
const JOBS = mapping('batch/v1', 'batch', 'Job', 'jobs');
const PODS = mapping('v1', '', 'Pod', 'pods');
const LOG_BYTES = 16 * 1024;
const SHOWN = 200;

const unscrubbed = (message: string): string => message;

export const startJob = async (
  api: KubeApi,
  { job, permit, signal }: Parameters<ClusterJobs['startJob']>[0],
): Promise<JobOutcome> => {
  const place = placeOf(JOBS, job.metadata.namespace ?? '', job.metadata.name);
  const live = await api.get(place, signal);
  if (live !== null) return { kind: 'Job', job: live, existed: true };
  const writer = new SessionWriter(api, { permit, signal }, 'forward', unscrubbed);
  const written = await writer.write({
    method: 'POST',
    path: `${collectionPath(JOBS, place.namespace)}?fieldManager=breakwater`,
    body: JSON.stringify(job),
    contentType: 'application/json',
    key: place.key,
    name: place.name,
    existing: false,
    bookkeeping: true,
  });
  if (written.kind === 'Written') return { kind: 'Job', job: written.object, existed: false };
  // Somebody was quicker: another worker, or our own request whose answer was lost.
  const made = written.kind === 'Stale' ? await api.get(place, signal) : null;
  if (made === null) throw endOf(written, place.key, `POST ${place.key}`);
  return { kind: 'Job', job: made, existed: true };
};

export const deleteJob = async (
  api: KubeApi,
  { namespace, name, uid, permit, signal }: Parameters<ClusterJobs['deleteJob']>[0],
): Promise<JobDeletion> => {
  const place = placeOf(JOBS, namespace, name);
  const writer = new SessionWriter(api, { permit, signal }, 'forward', unscrubbed);
  const written = await writer.write({
    method: 'DELETE',
    path: objectPath(place),
    body: JSON.stringify({ propagationPolicy: 'Background', preconditions: { uid } }),
    contentType: 'application/json',
    key: place.key,
    name: place.name,
    existing: true,
    bookkeeping: true,
  });
  if (written.kind === 'Absent' || written.kind === 'NamespaceAbsent' || written.kind === 'Stale')
    return { kind: 'Deleted' };
  if (written.kind !== 'Written') throw endOf(written, place.key, `DELETE ${place.key}`);
  return heldBack(api, place, uid, signal);
};

const heldBack = async (api: KubeApi, place: Place, uid: string, signal: AbortSignal): Promise<JobDeletion> => {
  const left = await api.get(place, signal);
  if (left === null || left.metadata.uid !== uid) return { kind: 'Deleted' };
  return { kind: 'Held', finalizers: left.metadata.finalizers ?? [] };
};

export const jobLogs = async (
  api: KubeApi,
  { namespace, name, lines, timeout, signal }: Parameters<ClusterJobs['jobLogs']>[0],
): Promise<JobLogs> => {
  const query = { labelSelector: `batch.kubernetes.io/job-name=${name}` };
  const { items } = await api.list(PODS, namespace, signal, { query, limit: 50 });
  const [pod] = [...items].sort((a, b) => (createdAt(a) < createdAt(b) ? 1 : -1));
  if (pod === undefined) return { kind: 'Logs', text: null, message: 'it has no pod', exit: null };
  const exit = exitOf(pod);
  const late = AbortSignal.timeout(timeout);
  try {
    const reply = await api.transport.send({
      method: 'GET',
      path: `${objectPath(placeOf(PODS, namespace, pod.metadata.name))}/log?tailLines=${lines}&limitBytes=${LOG_BYTES}`,
      accept: '*/*',
      maxBytes: LOG_BYTES * 2,
      signal: AbortSignal.any([signal, late]),
    });
    if (reply.status === 200) return { kind: 'Logs', text: reply.body, message: '', exit };
    const { message } = statusOf(reply);
    return { kind: 'Logs', text: null, message: `${reply.status} ${message}`.slice(0, SHOWN), exit };
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error;
    return { kind: 'Logs', text: null, message: `no answer within ${timeout} ms`, exit };
  }
};

const createdAt = (object: KubeObject): string => object.metadata.creationTimestamp ?? '';

interface PodStatus {
  readonly reason?: string;
  readonly containerStatuses?: readonly {
    readonly state?: {
      readonly terminated?: { readonly exitCode?: number; readonly reason?: string };
      readonly waiting?: { readonly reason?: string };
    };
  }[];
}

const exitOf = (pod: KubeObject): string | null => {
  const status = (pod['status'] ?? {}) as PodStatus;
  const state = status.containerStatuses?.[0]?.state;
  if (state?.terminated !== undefined) return `exit code ${state.terminated.exitCode ?? 'unknown'}`;
  return state?.waiting?.reason ?? status.reason ?? null;
};
