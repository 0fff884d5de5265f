import { Problem } from '@breakwater/platform';
import type { Request } from 'express';

const tooLarge = (limit: number) =>
  new Problem(413, 'BodyTooLarge', `the body is larger than ${limit} bytes`, { headers: { connection: 'close' } });

/** Reads the body, no further than `limit` bytes. */
export const readBody = async (request: Request, limit: number): Promise<Buffer> => {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new Problem(415, 'EncodingNotSupported', 'the body must not be compressed');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** An absent body counts as `{}`. */
export const parseJsonBody = (request: Request, bytes: Buffer): unknown => {
  if (bytes.length === 0) return {};
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new Problem(415, 'NotJson', 'the body must be JSON', { remedy: 'Send Content-Type: application/json.' });
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    throw new Problem(400, 'InvalidJson', 'the body is not valid JSON in UTF-8', { cause: error });
  }
};
