import type { FleetReader, FleetReading } from '@breakwater/application';
import type { ReadOptions } from '@breakwater/domain';
import { RenderFailure } from '../render-failure.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Reads fleet documents in a thread. What ends the thread is an error that keeps the commit from being used. */
export const createFleetReader = (pool: WorkerPool, limits: ReadOptions = {}): FleetReader => ({
  read: async (files, paths, signal): Promise<FleetReading> => {
    try {
      return await pool.run('fleet', { files, paths, limits }, { signal });
    } catch (error) {
      if (!(error instanceof RenderFailure)) throw error;
      const nowhere = { file: '', line: 1, column: 1, kind: '', name: '', field: '' };
      const errors = error.errors.map(({ code, message, remedy }) => ({
        ...nowhere,
        reason: code,
        message,
        remedy,
        blocks: 'snapshot' as const,
      }));
      return { documents: [], snapshot: null, errors };
    }
  },
});
