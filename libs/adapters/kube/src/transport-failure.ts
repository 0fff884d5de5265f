import type { Cutoff } from '@breakwater/application';
import { PermitLost } from '@breakwater/application';
import { cutOff, Ended } from './ended.ts';

/** Node's, OpenSSL's and undici's codes, by what they mean for whoever waits for the cluster. */
const REASONS: Readonly<Record<string, Cutoff['reason']>> = {
  UND_ERR_CONNECT_TIMEOUT: 'Timeout',
  UND_ERR_HEADERS_TIMEOUT: 'Timeout',
  UND_ERR_BODY_TIMEOUT: 'Timeout',
  ETIMEDOUT: 'Timeout',
  ECONNREFUSED: 'ConnectionRefused',
  EHOSTUNREACH: 'ConnectionRefused',
  ENETUNREACH: 'ConnectionRefused',
  ENOTFOUND: 'NameNotResolved',
  EAI_AGAIN: 'NameNotResolved',
  EPROTO: 'TlsFailed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TlsFailed',
  UNABLE_TO_GET_ISSUER_CERT: 'TlsFailed',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TlsFailed',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TlsFailed',
  SELF_SIGNED_CERT_IN_CHAIN: 'TlsFailed',
  HOSTNAME_MISMATCH: 'TlsFailed',
};

const TLS_CODE = /^(CERT_|CRL_|ERR_TLS_|ERR_SSL_|ERR_OSSL_)/;

// Errors of Node's own are told by their shape: `instanceof` fails for those of another realm.
const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Connecting to several addresses of one name fails with all the failures in one. */
const firstOf = (error: Error): Error => {
  const [first] = 'errors' in error && Array.isArray(error.errors) ? (error.errors as Error[]) : [];
  return first ?? error;
};

/** What is not the network's doing (a lost permit, an abort) passes through as it is. */
export const transportFailure = (error: Error, path: string): Error => {
  if (error instanceof Ended || error instanceof PermitLost) return error;
  const inner = firstOf(error);
  const code = codeOf(inner) || codeOf(error);
  if (code === '') return error;
  if (code === 'UND_ERR_ABORTED' || code === 'ABORT_ERR' || error.name === 'AbortError') return error;
  const reason = REASONS[code] ?? (TLS_CODE.test(code) ? 'TlsFailed' : 'ConnectionLost');
  return cutOff(reason, `${path}: ${code} ${inner.message}`.trim(), { cause: error });
};
