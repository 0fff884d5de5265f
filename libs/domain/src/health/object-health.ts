import type { KubeObject } from '../kubernetes/object.ts';
import { oneLine, upperCamelCase } from './evidence-text.ts';

/**
 * What one object says about itself. `Progressing` may still become healthy by itself, `Failing` says that it has failed,
 * `Unknown` cannot be judged and never counts as healthy.
 */
export type HealthStatus = 'Healthy' | 'Progressing' | 'Failing' | 'Terminating' | 'Unknown';

export interface ObjectHealth {
  readonly status: HealthStatus;
  /** UpperCamelCase. */
  readonly reason: string;
  /** One printable line for people: `1 of 3 updated replicas are available`. */
  readonly message: string;
}

/** What was read beside an object and may change how it is judged. */
export interface HealthContext {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly events: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
}

/** Judges objects of one kind that have been observed in their newest generation and are not being deleted. */
export type HealthRule = (object: KubeObject, context: HealthContext) => ObjectHealth;

const health =
  (status: HealthStatus) =>
  (reason: string, message: string): ObjectHealth => ({
    status,
    reason: upperCamelCase(reason, status),
    message: oneLine(message),
  });

export const healthy = health('Healthy');
export const progressing = health('Progressing');
export const failing = health('Failing');
export const terminating = health('Terminating');
export const unknown = health('Unknown');
