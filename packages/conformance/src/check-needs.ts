// What checks can need: features that the metadata shows, and what the suite was given. Each is a
// function that says why a row is skipped, or undefined when nothing is in its way.

import type { Need, VisibleRow } from './conformance-check.ts'
import type { EndpointName, TestedService } from './tested-service.ts'

export const needsClient: Need = ({ credentials }) =>
  credentials.confidentialClient ? undefined : 'no confidential client was given'

export const needsOtherClient: Need = ({ credentials }) =>
  credentials.otherClient ? undefined : 'no second confidential client was given'

export const needsPublicClient: Need = ({ credentials }) =>
  credentials.publicClient ? undefined : 'no public client was given'

export const needsUser: Need = (service) => {
  if (!service.credentials.user) return 'no user was given'
  return needsGrant('password')(service)
}

export const needsFlood: Need = ({ flood }) =>
  flood ? undefined : 'it sends many requests: only with --flood'

export const needsResourceServer: Need = ({ resourceUrl }) =>
  resourceUrl ? undefined : 'no protected resource was given'

/**
 * A grant that the metadata lists; without a list RFC 8414 §2 means two grants that no row needs.
 */
export function needsGrant(grantType: string): Need {
  return ({ metadata }) => {
    const listed = metadata.grant_types_supported
    const isOn = Array.isArray(listed) && listed.includes(grantType)
    return isOn ? undefined : `the metadata does not list the grant ${grantType}`
  }
}

export function needsEndpoint(name: EndpointName): Need {
  return (service) =>
    service.endpoint(name) ? undefined : `the metadata names no ${name} endpoint`
}

/** A member of the metadata that stands for a feature. */
export function needsMember(name: string): Need {
  return ({ metadata }) =>
    metadata[name] === undefined ? `the metadata has no ${name}` : undefined
}

/** The first reason in the way of a row; undefined when it can be looked at. */
export function findSkipReason(row: VisibleRow, service: TestedService): string | undefined {
  for (const need of row.needs) {
    const reason = need(service)
    if (reason !== undefined) return reason
  }
  return undefined
}
