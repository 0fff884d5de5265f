import { createHmac, timingSafeEqual } from 'node:crypto';

export const SIGNATURE_HEADER = 'x-breakwater-signature';
export const TIMESTAMP_HEADER = 'x-breakwater-timestamp';
/** A signature counts for so long, in either direction of two clocks; in ms. */
const FRESH = 300_000;

const hmac = (key: string, text: string): Buffer => createHmac('sha256', key).update(text, 'utf8').digest();

/** Over `timestamp.body`; the timestamp is in seconds. */
export const signRequest = (key: string, now: number, body: string): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(now / 1_000));
  return {
    [TIMESTAMP_HEADER]: timestamp,
    [SIGNATURE_HEADER]: `sha256=${hmac(key, `${timestamp}.${body}`).toString('hex')}`,
  };
};

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const single = (headers: Headers, name: string): string | null => {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
};

export type SignatureVerdict = 'valid' | 'none' | 'wrong' | 'stale';

/** Over `timestamp.token.body`: with the token, an answer to another question is none to this one. */
export const checkAnswer = (
  key: string,
  now: number,
  token: string,
  headers: Headers,
  body: string,
): SignatureVerdict => {
  if (headers[SIGNATURE_HEADER] === undefined) return 'none';
  const timestamp = single(headers, TIMESTAMP_HEADER) ?? '';
  const [, given = ''] = /^sha256=([0-9a-f]{64})$/.exec(single(headers, SIGNATURE_HEADER) ?? '') ?? [];
  if (given === '' || !/^\d{1,12}$/.test(timestamp)) return 'wrong';
  if (!timingSafeEqual(Buffer.from(given, 'hex'), hmac(key, `${timestamp}.${token}.${body}`))) return 'wrong';
  return Math.abs(now - Number(timestamp) * 1_000) > FRESH ? 'stale' : 'valid';
};
