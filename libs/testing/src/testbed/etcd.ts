import { request } from 'undici';

/** One key as etcd holds it; `value` in base64, because objects are protobuf. */
export interface EtcdEntry {
  readonly key: string;
  readonly value: string;
  readonly modRevision: string;
}

interface RangeResponse {
  readonly kvs?: readonly { key: string; value?: string; mod_revision: string }[];
}

type Operation = { requestDeleteRange: { key: string } } | { requestPut: { key: string; value: string } };

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** etcd's JSON gateway, for what no Kubernetes API offers: setting a whole cluster back to how it was. */
export class EtcdClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async #call(path: string, body: unknown): Promise<unknown> {
    const response = await request(`${this.#url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`etcd ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }

  async healthy(): Promise<boolean> {
    try {
      await this.#call('/v3/kv/range', { key: base64('health') });
      return true;
    } catch {
      return false;
    }
  }

  async list(prefix: string, withValues: boolean): Promise<EtcdEntry[]> {
    // The end of a prefix's range is the prefix with its last byte raised by one; '/' becomes '0'.
    const end = `${prefix.slice(0, -1)}0`;
    const body = { key: base64(prefix), range_end: base64(end), keys_only: !withValues };
    const response = (await this.#call('/v3/kv/range', body)) as RangeResponse;
    return (response.kvs ?? []).map((kv) => ({
      key: Buffer.from(kv.key, 'base64').toString('utf8'),
      value: kv.value ?? '',
      modRevision: kv.mod_revision,
    }));
  }

  async change(deletions: readonly string[], puts: readonly EtcdEntry[]): Promise<void> {
    const operations: Operation[] = [
      ...deletions.map((key) => ({ requestDeleteRange: { key: base64(key) } })),
      ...puts.map(({ key, value }) => ({ requestPut: { key: base64(key), value } })),
    ];
    for (let from = 0; from < operations.length; from += 100) {
      await this.#call('/v3/kv/txn', { success: operations.slice(from, from + 100) });
    }
  }
}
