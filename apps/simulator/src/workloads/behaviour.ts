import { objectAt, stringAt } from '../object.ts';
import type { KubeObject } from '../object.ts';
import { containersOf } from '../api/defaults.ts';

export type BehaviourKind = 'ready' | 'broken' | 'crashloop' | 'flaky' | 'degrades' | 'unready' | 'fails';

/** What becomes of a pod; times in ms, undefined where nothing is said of them. */
export interface Behaviour {
  readonly kind: BehaviourKind;
  /** From its creation until it is ready. */
  readonly readyAfterMs: number | undefined;
  /** From being ready until it is not any more. */
  readonly unreadyAfterMs: number | undefined;
  /** From the start of a Job's pod until its end. */
  readonly completeAfterMs: number | undefined;
  /** The image that says so. */
  readonly image: string;
}

/** The same annotations as the test bed's fake kubelets read, so that manifests mean the same on both. */
const prefix = 'testbed.breakwater.dev/';
export const behaviourAnnotation = `${prefix}behaviour`;

const word = /broken|crashloop|flaky|degrades|unready|fails/;

/** By the pod's annotations, else by its images: `web:broken-2`, `web:delay-5s`, `web:degrades-800ms`. */
export function behaviourOf(pod: KubeObject): Behaviour {
  const images = containersOf(objectAt(pod, 'spec') ?? {}).map((container) => stringAt(container, 'image') ?? '');
  const text = images.join(' ');
  const told = (name: string): string | undefined => pod.metadata.annotations?.[`${prefix}${name}`];
  const kind = (told('behaviour') ?? word.exec(text)?.[0] ?? 'ready') as BehaviourKind;
  return {
    kind,
    readyAfterMs: durationMs(told('ready-after') ?? /delay-(\d+(ms|s|m))/.exec(text)?.[1]),
    unreadyAfterMs: durationMs(told('unready-after') ?? /(?:flaky|degrades)-(\d+(ms|s|m))/.exec(text)?.[1]),
    completeAfterMs: durationMs(told('complete-after')),
    image: images.find((image) => image.includes(kind)) ?? images[0] ?? '',
  };
}

function durationMs(text: string | undefined): number | undefined {
  const match = /^(\d+)(ms|s|m)$/.exec(text ?? '');
  if (!match) return undefined;
  const unit = match[2] === 'ms' ? 1 : match[2] === 's' ? 1_000 : 60_000;
  return Number(match[1]) * unit;
}
