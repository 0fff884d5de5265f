import type { CredentialStore, RecordPort } from '@breakwater/application';
import type { Cipher } from '@breakwater/platform';

/** Kubeconfigs that were set through the API: sealed in the record, with a key that is not in it. */
export class RecordCredentialStore implements CredentialStore {
  readonly #record: Pick<RecordPort, 'access'>;
  readonly #cipher: Cipher;

  constructor(record: Pick<RecordPort, 'access'>, cipher: Cipher) {
    this.#record = record;
    this.#cipher = cipher;
  }

  async read(name: string): Promise<{ readonly kubeconfig: string; readonly version: string } | null> {
    const stored = await this.#record.access.credential(name);
    if (stored === null) return null;
    return { kubeconfig: Buffer.from(this.#cipher.open(stored.sealed)).toString('utf8'), version: stored.version };
  }

  async put(name: string, kubeconfig: string): Promise<void> {
    await this.#record.access.putCredential(name, this.#cipher.seal(Buffer.from(kubeconfig)));
  }
}
