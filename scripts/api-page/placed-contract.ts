// The contract with its servers: the issuer, the issuer's host for what lies at the root, and the
// port of the operations where they have one. All of them are placeholders.

import type { Contract, Server } from './contract.ts'
import { ISSUER, ISSUER_ORIGIN, ISSUER_PATH, OPS_ORIGIN } from './placeholders.ts'

/** What `LINEAGE_OPS_PORT` moves; test/http/server/openapi-docs.test.ts holds it to the routes. */
const OPERATIONS = /^\/(?:admin\/|livez$|readyz$|metrics$)/

/** The contract of a service that has everything on one port, or its operations on another. */
export function placeContract(contract: Contract, ports: 'one-port' | 'two-ports'): Contract {
  const paths = Object.entries(contract.paths).map(([path, item]) => {
    const isAtRoot = item.servers !== undefined
    if (ports === 'two-ports' && OPERATIONS.test(path)) {
      return [path, { ...item, servers: [operationsServer(isAtRoot ? '' : ISSUER_PATH)] }]
    }
    return [path, { ...item, ...(item.servers && { servers: place(item.servers, ISSUER_ORIGIN) }) }]
  })
  return {
    ...contract,
    servers: place(contract.servers, ISSUER),
    paths: Object.fromEntries(paths) as Contract['paths'],
  }
}

/** The host has no public name, and its address is nothing to tell the public. */
function operationsServer(basePath: string): Server {
  return {
    url: `${OPS_ORIGIN}${basePath}`,
    description:
      'The port of the operations, as the machine of the service sees it; put its name for `localhost`.',
  }
}

function place(servers: readonly Server[], url: string): Server[] {
  return servers.map((server) => ({ ...server, url }))
}
