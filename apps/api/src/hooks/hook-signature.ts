import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Digests are of one length, so that the comparison says nothing of the secret's. */
const same = (left: string, right: string): boolean => {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
};

const header = (headers: IncomingHttpHeaders, name: string): string | null => {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
};

/**
 * Whether the body was signed with the secret: `X-Hub-Signature-256` (GitHub, Forgejo), `X-Gitea-Signature`, or
 * GitLab's `X-Gitlab-Token`, which is the secret itself.
 */
export const isSigned = (headers: IncomingHttpHeaders, body: Uint8Array, secret: string): boolean => {
  if (secret === '') return false;
  const hmac = createHmac('sha256', secret).update(body).digest('hex');
  const github = header(headers, 'x-hub-signature-256');
  if (github !== null) return same(github, `sha256=${hmac}`);
  const gitea = header(headers, 'x-gitea-signature');
  if (gitea !== null) return same(gitea, hmac);
  const gitlab = header(headers, 'x-gitlab-token');
  return gitlab !== null && same(gitlab, secret);
};
