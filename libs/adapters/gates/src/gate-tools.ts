import type { BoundedHttp } from './bounded-request.ts';
import type { SecretStore } from './secret-store.ts';

/** What probes reach the outside with. */
export interface GateTools {
  readonly http: BoundedHttp;
  readonly secrets: SecretStore;
}
