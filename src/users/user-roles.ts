// What a role may be called, and how many of them a user has.

import type { FieldError } from '../runtime/field-error.ts'

export const ROLES_MAX = 32
/** Short and plain enough for tokens and headers. */
export const ROLE = /^[A-Za-z0-9:._-]{1,64}$/

/** Every fault of a list of roles; `pointer` leads into a document's `/roles`. */
export function findRoleErrors(roles: readonly unknown[]): FieldError[] {
  // Before anything that takes longer for each of them.
  if (roles.length > ROLES_MAX) {
    return [{ pointer: '/roles', detail: `must be ${ROLES_MAX} at most` }]
  }
  const detail = 'must be 1 to 64 letters, digits, ":", ".", "_" and "-", and not given twice'
  return roles.flatMap((role, index) => {
    const isGood = typeof role === 'string' && ROLE.test(role) && roles.indexOf(role) === index
    return isGood ? [] : [{ pointer: `/roles/${index}`, detail }]
  })
}
