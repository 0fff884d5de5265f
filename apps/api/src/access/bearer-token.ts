import { createHash, randomBytes } from 'node:crypto';

/** Any bearer token of a sane length (RFC 6750): what is known is decided by the record. */
const FORM = /^[A-Za-z0-9._~+/-]{20,512}=*$/;

/** 256 random bits; the prefix lets secret scanners find it. */
export const newToken = (): string => `bw_${randomBytes(32).toString('base64url')}`;

/** What the record stores and looks for. A hash of 256 random bits cannot be guessed from timing, so looking it up is safe. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** The token of an `Authorization: Bearer …` header; null when there is none of the right form. */
export const bearerOf = (header: string | undefined): string | null => {
  const [scheme, token, ...rest] = (header ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || rest.length > 0) return null;
  return FORM.test(token) ? token : null;
};
