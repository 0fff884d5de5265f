import type { KubeObject } from '@breakwater/domain';
import type { RecordPort } from '../ports/record.port.ts';

/** Seals what must not be readable in the record; the key is not in it. */
export interface Cipher {
  seal(plain: Uint8Array): Uint8Array;
  open(sealed: Uint8Array): Uint8Array;
}

/** Rendered bundles, stored once by content digest. What is needed for a rollback is never rendered again. */
export interface BundleStore {
  put(digest: string, objects: readonly KubeObject[]): Promise<void>;
  /** Throws {@link BundleMissing}: a bundle that a plan or last known good names is never collected. */
  load(digest: string): Promise<readonly KubeObject[]>;
}

export class BundleMissing extends Error {
  override readonly name = 'BundleMissing';
}

const CACHED = 64;

export const createBundleStore = (record: Pick<RecordPort, 'sync'>, cipher: Cipher): BundleStore => {
  const cache = new Map<string, readonly KubeObject[]>();
  const remember = (digest: string, objects: readonly KubeObject[]): void => {
    cache.delete(digest);
    cache.set(digest, objects);
    const oldest = cache.keys().next();
    if (cache.size > CACHED && oldest.done !== true) cache.delete(oldest.value);
  };
  return {
    put: async (digest, objects) => {
      const stored = await record.sync.hasBundles([digest]);
      if (!stored.has(digest)) await record.sync.putBundle(digest, cipher.seal(Buffer.from(JSON.stringify(objects))));
      remember(digest, objects);
    },
    load: async (digest) => {
      const cached = cache.get(digest);
      if (cached !== undefined) return cached;
      const sealed = await record.sync.bundle(digest);
      if (sealed === null) throw new BundleMissing(`bundle ${digest} is not in the record`);
      const objects = JSON.parse(Buffer.from(cipher.open(sealed)).toString('utf8')) as readonly KubeObject[];
      remember(digest, objects);
      return objects;
    },
  };
};
