import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { link, open, readFile, stat, unlink } from 'node:fs/promises';

/** Seals what must not be readable in the database, and notices when it was changed there. */
export interface Cipher {
  seal(plain: Uint8Array): Uint8Array;
  /** Throws {@link SealBroken} for anything that `seal` with this key did not make. */
  open(sealed: Uint8Array): Uint8Array;
}

export class SealBroken extends Error {
  override readonly name = 'SealBroken';
  readonly code = 'SealBroken';
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES = 4;
/** `BW`, version 1, then which key: an old key can be told from a wrong byte. */
const MAGIC = Buffer.from([0x42, 0x57, 0x01]);
const HEADER_BYTES = MAGIC.length + KEY_ID_BYTES;

/** AES-256-GCM; header (authenticated) · nonce · ciphertext · tag. `key`: 32 bytes. */
export const createAesCipher = (key: Uint8Array): Cipher => {
  if (key.length !== KEY_BYTES) throw new SealBroken(`a key has ${KEY_BYTES} bytes, not ${key.length}`);
  const secret = Buffer.from(key);
  const keyId = createHash('sha256').update('breakwater key id').update(secret).digest().subarray(0, KEY_ID_BYTES);
  const header = Buffer.concat([MAGIC, keyId]);
  return {
    seal: (plain) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(header);
      return Buffer.concat([header, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      checkHeader(bytes, header);
      const nonce = bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
      const body = bytes.subarray(HEADER_BYTES + NONCE_BYTES, bytes.length - TAG_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG_BYTES })
        .setAAD(header)
        .setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(body), decipher.final()]);
      } catch (error) {
        throw new SealBroken('the sealed bytes were changed', { cause: error });
      }
    },
  };
};

const checkHeader = (bytes: Buffer, header: Buffer): void => {
  if (bytes.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES) throw new SealBroken('the sealed bytes are too few');
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new SealBroken('these bytes are not sealed in a known form');
  if (!bytes.subarray(0, HEADER_BYTES).equals(header)) throw new SealBroken('these bytes are sealed with another key');
};

/** The key in `file` (64 hex digits, mode 0600), made on first use. Two programs that start together get the same one. */
export const loadOrCreateKey = async (file: string): Promise<Uint8Array> => {
  const known = await readKey(file);
  if (known !== null) return known;
  const fresh = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const handle = await open(fresh, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString('hex')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // A link appears with its content, and never over an existing file: whoever comes second reads the first one's key.
  await link(fresh, file).catch((error: unknown) => {
    if (!isCode(error, 'EEXIST')) throw error;
  });
  await unlink(fresh);
  const made = await readKey(file);
  if (made === null) throw new SealBroken(`the key file ${file} vanished while it was made`);
  return made;
};

const readKey = async (file: string): Promise<Uint8Array | null> => {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) throw new SealBroken(`the key file ${file} can be read by others: chmod 600 it`);
    const text = (await readFile(file, 'utf8')).trim();
    if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new SealBroken(`the key file ${file} does not hold 64 hex digits`);
    return Buffer.from(text, 'hex');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
};

const isCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;
