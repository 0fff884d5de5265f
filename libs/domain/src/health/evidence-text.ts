const LONGEST_MESSAGE = 400;
const LONGEST_REASON = 64;

// Control and format characters (terminal escapes, bidirectional overrides), which a message may carry into a terminal.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu;

/** One printable line of bounded length; `text` may come from anybody who can write to a cluster. */
export const oneLine = (text: string): string => {
  const line = text
    .slice(0, LONGEST_MESSAGE * 4)
    .replace(UNPRINTABLE, ' ')
    .trim();
  const characters = Array.from(line);
  return characters.length <= LONGEST_MESSAGE ? line : `${characters.slice(0, LONGEST_MESSAGE - 1).join('')}…`;
};

/** A reason as the contract writes it, UpperCamelCase, from what a controller wrote: `image-pull_failed` → `ImagePullFailed`. */
export const upperCamelCase = (text: string | undefined, otherwise: string): string => {
  const words = (text ?? '').slice(0, LONGEST_REASON * 2).match(/[A-Za-z0-9]+/g) ?? [];
  const joined = words
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('')
    .replace(/^[0-9]+/, '')
    .slice(0, LONGEST_REASON);
  return joined === '' ? otherwise : `${joined.charAt(0).toUpperCase()}${joined.slice(1)}`;
};

/** `1 replica`, `3 replicas`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
