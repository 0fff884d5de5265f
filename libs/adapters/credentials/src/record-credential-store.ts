import { type CredentialStore, CredentialUnreadable, type RecordPort } from '@breakwater/application';
import { type Cipher, SealBroken } from '@breakwater/platform';

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
    return { kubeconfig: this.#opened(stored.sealed), version: stored.version };
  }

  #opened(sealed: Uint8Array): string {
    try {
      return Buffer.from(this.#cipher.open(sealed)).toString('utf8');
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      throw new CredentialUnreadable(error.message, { cause: error });
    }
  }

  async put(name: string, kubeconfig: string): Promise<void> {
    await this.#record.access.putCredential(name, this.#cipher.seal(Buffer.from(kubeconfig)));
  }
}
