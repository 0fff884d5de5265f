import type { KubeObject } from '@breakwater/domain';
import type { Cutoff, Refusal } from './cluster-answers.port.ts';
import type { WritePermit } from './write-permit.port.ts';

export interface ServiceRequest {
  readonly namespace: string;
  readonly service: string;
  /** Number or name of the Service's port. */
  readonly port: number | string;
  readonly scheme: 'http' | 'https';
  /** From the root, with its query; encoded. */
  readonly path: string;
  /** In ms; at most the connection's own time-out. */
  readonly timeout: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export type ServiceOutcome =
  | {
      readonly kind: 'Answered';
      readonly status: number;
      readonly body: string;
      /** From the call to the last byte; in ms. */
      readonly took: number;
    }
  /** The API server is there, and the Service is not, or has nobody behind it, or is silent. */
  | { readonly kind: 'Silent'; readonly message: string }
  | Refusal
  | Cutoff;

export interface ReadRequest {
  readonly apiVersion: string;
  readonly kind: string;
  /** Ignored for kinds without one. */
  readonly namespace: string;
  /** Of one object; without it all that the labels select. */
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** More objects than this are not read. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

export type ReadOutcome =
  { readonly kind: 'Read'; readonly objects: readonly KubeObject[]; readonly complete: boolean } | Refusal | Cutoff;

/** What gates look at in a cluster; nothing in here writes. */
export interface ClusterProbing {
  /** One GET to a Service through the API server's proxy, sent once; no redirect is followed. */
  serviceGet(request: ServiceRequest): Promise<ServiceOutcome>;
  /** Live objects of one kind. Secrets are refused. */
  readObjects(request: ReadRequest): Promise<ReadOutcome>;
}

export interface JobPlace {
  readonly namespace: string;
  readonly name: string;
  readonly signal: AbortSignal;
}

/** `existed`: nothing was written, and this is the Job of that name. */
export type JobOutcome =
  { readonly kind: 'Job'; readonly job: KubeObject; readonly existed: boolean } | Refusal | Cutoff;

/** `text`: null where there is none to be had, and `message` says why. */
export interface JobLogs {
  readonly kind: 'Logs';
  readonly text: string | null;
  readonly message: string;
  /** How the last pod's container ended; null: it did not. */
  readonly exit: string | null;
}

export type JobDeletion =
  | { readonly kind: 'Deleted' }
  /** Asked to go, and held back by finalizers. */
  | { readonly kind: 'Held'; readonly finalizers: readonly string[] }
  | Refusal
  | Cutoff;

/** Smoke tests: the one thing that gates write. */
export interface ClusterJobs {
  /** Creates the Job, unless one of its name is there. */
  startJob(request: {
    readonly job: KubeObject;
    readonly permit: WritePermit;
    readonly signal: AbortSignal;
  }): Promise<JobOutcome>;
  /** The last lines of its youngest pod. */
  jobLogs(
    request: JobPlace & { readonly lines: number; readonly timeout: number },
  ): Promise<JobLogs | Refusal | Cutoff>;
  /** The Job and its pods; only the one of this uid. */
  deleteJob(request: JobPlace & { readonly uid: string; readonly permit: WritePermit }): Promise<JobDeletion>;
}
