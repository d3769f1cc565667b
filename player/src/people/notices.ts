import type { TextKey } from '../texts';
import { ownPerson, type People } from './messages';

/** Returns the notice about what has changed for this page's own person; undefined for nothing. */
export function ownNotice(before: People | undefined, now: People): TextKey | undefined {
  const was = before && ownPerson(before);
  const is = ownPerson(now);
  if (is === undefined) {
    return undefined;
  }
  if (was === undefined) {
    return is.role === 'host' ? undefined : `notice.people.${is.role}`;
  }
  if (was.role !== is.role) {
    return is.role === 'host' ? 'notice.people.host' : 'notice.people.handed-over';
  }
  if (was.muted !== is.muted) {
    return is.muted ? 'notice.people.muted' : 'notice.people.unmuted';
  }
  return undefined;
}
