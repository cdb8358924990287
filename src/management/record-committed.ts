// Changes of users are recorded as soon as they are committed, also where the family store cannot
// be told of them yet.

import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { OnChanged } from '../users/user-change.ts'
import { ManagementError } from './management-error.ts'

/**
 * Runs `change`, and `record` at the moment when `change` calls back that it is committed. Throws
 * ManagementError `unfinished` when the family store could not be told afterwards.
 */
export async function recordCommitted<T>(
  change: (onChanged: OnChanged) => Promise<T>,
  record: OnChanged,
): Promise<T> {
  let isCommitted = false
  try {
    return await change((changed) => {
      isCommitted = true
      record(changed)
    })
  } catch (cause) {
    if (!isCommitted || !(cause instanceof DependencyUnavailable)) throw cause
    throw new ManagementError('unfinished', `the change is made, but ${cause.message}`, { cause })
  }
}
