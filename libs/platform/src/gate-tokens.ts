import type { GateQuestion, RolloutId } from '@breakwater/domain';
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { API_PREFIX } from './wire/openapi.ts';
import { routes } from './wire/routes.ts';

/** What whoever answers a gate later proves with it that they were asked. */
export interface GateTokens {
  /** The same question has the same token, whichever program asks. */
  issue(question: GateQuestion): string;
  /** Null: no token of this installation. */
  read(token: string): GateQuestion | null;
}

const PREFIX = 'bwg_';
const FORM = /^bwg_([A-Za-z0-9_-]{1,450})\.([A-Za-z0-9_-]{43})$/;
const VERSION = 1;

const claims = z.tuple([
  z.literal(VERSION),
  z.string(),
  z.int(),
  z.string().nullable(),
  z.string(),
  z.number(),
  z.int(),
  z.number().nullable(),
]);

/**
 * Tokens that carry what they are for, under an HMAC. Its key comes from the installation's key, which is not in the database: whoever
 * reads the record, or Git, cannot make one.
 *
 * @param key 32 bytes
 */
export const createGateTokens = (key: Uint8Array): GateTokens => {
  const secret = Buffer.from(hkdfSync('sha256', key, '', 'breakwater answers to gates', 32));
  const sign = (text: string): Buffer => createHmac('sha256', secret).update(`${PREFIX}${text}`).digest();
  return {
    issue: ({ rollout, wave, cluster, gate, since, answered, until }) => {
      const claim: z.output<typeof claims> = [VERSION, rollout, wave, cluster, gate, since, answered, until];
      const text = Buffer.from(JSON.stringify(claim)).toString('base64url');
      return `${PREFIX}${text}.${sign(text).toString('base64url')}`;
    },
    read: (token) => {
      const [, text = '', signature = ''] = FORM.exec(token) ?? [];
      if (!timingSafeEqual(sign(text), sized(signature)) || text === '') return null;
      const parsed = claims.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
      if (!parsed.success) return null;
      const [, rollout, wave, cluster, gate, since, answered, until] = parsed.data;
      return { rollout: rollout as RolloutId, wave, cluster, gate, since, answered, until };
    },
  };
};

const SIGNATURE_BYTES = 32;

/** Of one length, so that the comparison says nothing. */
const sized = (signature: string): Buffer => {
  const bytes = Buffer.alloc(SIGNATURE_BYTES);
  Buffer.from(signature, 'base64url').copy(bytes);
  return bytes;
};

/**
 * Where servers that gates ask may answer later, and with what; null: nobody can reach this installation.
 *
 * @param key as of {@link createGateTokens}
 */
export const gateCallbacks = (
  publicUrl: string | undefined,
  key: Uint8Array,
): { readonly url: string; readonly tokens: GateTokens } | null =>
  publicUrl === undefined
    ? null
    : {
        url: `${publicUrl.replace(/\/+$/, '')}${API_PREFIX}${routes.answerGate.path}`,
        tokens: createGateTokens(key),
      };
