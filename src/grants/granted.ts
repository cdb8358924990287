// What a client may be granted: scope and audience, by the rules that all grants share. Pure.

import type { Client } from '../clients/client.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import type { Parameters } from '../oauth/parameters.ts'
import { parseResources } from '../oauth/resource.ts'
import { inOrder, parseScope } from '../oauth/scope.ts'

/** What a request asks its tokens to be for. */
export interface RequestedTarget {
  /** As sent; undefined means the default of the grant. */
  readonly scope: string | undefined
  readonly resources: readonly string[]
}

export function readTarget(form: Parameters<'scope'>): RequestedTarget {
  return { scope: form.get('scope'), resources: form.resources }
}

/** The scope that a new grant covers: what was asked for, else the client's default. */
export function grantScope(client: Client, requested: string | undefined): string[] {
  if (requested === undefined) return inOrder(client.defaultScopes, client.scopes)
  const words = parseScope(requested)
  if (!words.every((word) => client.scopes.includes(word))) {
    throw new OAuthError('scope_not_allowed')
  }
  return inOrder(words, client.scopes)
}

export interface GrantedAudience {
  /** What the whole grant may address. */
  readonly grant: readonly string[]
  /** What this one token addresses. */
  readonly token: readonly string[]
}

/**
 * The audiences that tokens of the client may have now. The default audience counts only while the
 * client lists none of its own: when it lists others, existing grants lose the default audience
 * too.
 */
export function addressableAudiences(client: Client, defaultAudience: string): readonly string[] {
  return client.audiences.length > 0 ? client.audiences : [defaultAudience]
}

/** Throws `invalid_target` for a resource outside of the client's audiences (RFC 8707 §2). */
export function grantAudience(
  client: Client,
  defaultAudience: string,
  resources: readonly string[],
): GrantedAudience {
  const allowed = addressableAudiences(client, defaultAudience)
  if (resources.length === 0) return { grant: allowed, token: allowed.slice(0, 1) }
  const requested = parseResources(resources)
  if (!requested.every((resource) => allowed.includes(resource))) {
    throw new OAuthError('resource_not_allowed')
  }
  const granted = inOrder(requested, allowed)
  return { grant: granted, token: granted }
}
