// The two services of others that are measured beside Lineage, each one process with the same Redis.

import { randomBytes } from 'node:crypto'
import type { ProgramName } from '../support/build-programs.ts'
import { startMeasured } from '../support/measured-process.ts'
import type { Servers } from '../support/servers.ts'
import type { TokenServer } from './token-server.ts'

export type PeerName = Extract<ProgramName, 'oidc-provider' | 'node-oauth'>

export const PEERS: readonly PeerName[] = ['oidc-provider', 'node-oauth']
const CLIENT_SECRET = randomBytes(24).toString('hex')
const USERNAMES = Array.from({ length: 32 }, (_, index) => `user-${index}`)

export const PEER_CLIENTS = {
  app: { client_id: 'app' },
  service: { client_id: 'service', client_secret: CLIENT_SECRET },
}

const ENDPOINTS: Record<PeerName, Partial<TokenServer>> = {
  'oidc-provider': {
    introspectPath: '/token/introspection',
    revokePath: '/token/revocation',
    jwksPath: '/jwks',
    metadataPath: '/.well-known/openid-configuration',
    // It introspects and revokes opaque access tokens alone.
    checkedGrant: { resource: 'https://opaque.bench.test' },
  },
  'node-oauth': { verifyPath: '/verify' },
}

export function spawnPeer(script: string, redisUrl: string, port = 0) {
  return startMeasured(script, {
    PORT: String(port),
    REDIS_URL: redisUrl,
    CLIENT_SECRET,
  })
}

export async function startPeer(
  name: PeerName,
  script: string,
  { redis }: Servers,
): Promise<TokenServer> {
  const process = spawnPeer(script, redis.url)
  const port = await process.told<number>('port')
  return { process, port, redis, usernames: USERNAMES, ...PEER_CLIENTS, ...ENDPOINTS[name] }
}
