import type { FreezeOverride } from '../fleet/index.ts';
import { OVERRIDE_ROLES } from '../fleet/index.ts';

/** Whether somebody may write in spite of a window. Users are told apart by case, and a role that is not known has no power. */
export const mayOverride = (
  override: FreezeOverride,
  person: { readonly name: string; readonly role: string },
): boolean => {
  const rank = (OVERRIDE_ROLES as readonly string[]).indexOf(person.role);
  return override.users.includes(person.name) || override.roles.some((role) => rank >= OVERRIDE_ROLES.indexOf(role));
};
