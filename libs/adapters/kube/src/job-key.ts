import type { ObjectKey } from '@breakwater/domain';
import { parseObjectKey } from '@breakwater/domain';

export const isJobKey = (key: ObjectKey): boolean => {
  const { group, kind } = parseObjectKey(key);
  return group === 'batch' && kind === 'Job';
};
