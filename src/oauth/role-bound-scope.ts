// Scopes for which it is not enough that the client lists them: a user gets one only while the
// user's roles contain a role of the same name (docs/semantics.md §1).

/** Opens `/admin`. */
export const ADMIN_SCOPE = 'lineage:admin'

/** Also handed to the Lua scripts, which implement the same rule. */
export const ROLE_BOUND_SCOPES: readonly string[] = [ADMIN_SCOPE]

/**
 * What is left of a scope, in its order: what the client lists and the user's roles allow today.
 * `roles` is undefined for a client's own token, which the list of the client alone decides.
 */
export function usableScope(
  scope: readonly string[],
  clientScopes: readonly string[],
  roles: readonly string[] | undefined,
): string[] {
  return scope.filter((word) => {
    const isHeld = roles === undefined || !ROLE_BOUND_SCOPES.includes(word) || roles.includes(word)
    return isHeld && clientScopes.includes(word)
  })
}
