import type { RepositoryErrorCode } from '@breakwater/application';
import { RepositoryError } from '@breakwater/application';

interface FailureRule {
  readonly pattern: RegExp;
  readonly code: RepositoryErrorCode;
  readonly says: string;
  readonly remedy: string;
  readonly retry?: boolean;
}

/** First match wins. The texts are Git's, curl's and OpenSSH's in the C locale. */
const RULES: readonly FailureRule[] = [
  {
    pattern: /dubious ownership/,
    code: 'NotAllowed',
    says: 'the repository directory belongs to another user',
    remedy: 'change its owner, or let an administrator allow directories of other users',
  },
  {
    pattern: /transport '.*' not allowed/,
    code: 'NotAllowed',
    says: 'the repository asked for a protocol that is not allowed',
    remedy: 'use the address that the server redirects to',
  },
  {
    pattern: /returned error: 30\d|redirect/i,
    code: 'NotAllowed',
    says: 'the repository answers with a redirect, and credentials are not sent after redirects',
    remedy: 'use the address that the server redirects to',
  },
  {
    pattern: /host key verification failed|no .* host key is known|REMOTE HOST IDENTIFICATION HAS CHANGED/i,
    code: 'HostKeyUnknown',
    says: 'the host key of the server is not the known one',
    remedy: 'put the host key of the server in the known hosts of the credentials, after checking it',
  },
  {
    pattern:
      /could not read (username|password)|authentication failed|returned error: 40[13]|permission denied|invalid (username|credentials)|access denied|load key/i,
    code: 'AuthFailed',
    says: 'the repository refused the credentials',
    remedy: 'check the credentials that the repository names, and their right to read it',
  },
  {
    pattern: /certificate|SSL/,
    code: 'Unreachable',
    says: 'the certificate of the server was not accepted',
    remedy: 'give the authority of the certificate to Breakwater, or renew the certificate',
    retry: true,
  },
  {
    pattern:
      /does not appear to be a git repository|repository .*not found|returned error: 404|not exported|no such file/i,
    code: 'Unreachable',
    says: 'there is no repository at the address',
    remedy: 'check the address; if the repository was moved, change it',
    retry: true,
  },
  {
    pattern: /could not resolve host|connection (refused|timed out|reset)|couldn't connect|failed to connect|no route/i,
    code: 'Unreachable',
    says: 'the server cannot be reached',
    remedy: 'check the address and the network; it is tried again',
    retry: true,
  },
];

/** Git's last words of substance, on one line and without control characters. */
export const lastWords = (stderr: string): string =>
  stderr
    .split(/[\r\n]+/)
    .map((line) => line.replace(/\p{Cc}/gu, '').trim())
    .filter((line) => /^(fatal|error|remote|ssh|curl|git):|denied|failed/i.test(line))
    .slice(0, 3)
    .join('; ')
    .slice(0, 300);

/** What a failed fetch means to a person. `stderr` holds no secrets: they go to Git by its environment only. */
export const explainFailure = (stderr: string, cause: unknown): RepositoryError => {
  const rule = RULES.find(({ pattern }) => pattern.test(stderr));
  const words = lastWords(stderr);
  const detail = words === '' ? '' : ` (${words})`;
  if (rule === undefined) {
    return new RepositoryError('Unreachable', `the repository could not be read${detail}`, {
      remedy: 'check the repository; it is tried again',
      disposition: 'retry',
      cause,
    });
  }
  return new RepositoryError(rule.code, `${rule.says}${detail}`, {
    remedy: rule.remedy,
    disposition: rule.retry === true ? 'retry' : 'fix',
    cause,
  });
};
