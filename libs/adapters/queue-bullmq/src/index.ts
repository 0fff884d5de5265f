export { createWakeUpQueue } from './wake-up-queue.ts';
export type { WakeUpQueueOptions } from './wake-up-queue.ts';
