// The list that says of each token whether it was revoked (Token Status List).

import { randomInt } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { type SigningKey, signJwt } from './signing-keys.ts'
import type { State } from './state.ts'
import type { Reply } from './wire.ts'

const SIZE = 4096
export const STATUS_LIST_PATH = '/status'

/** Where a new token stands: nowhere that could be guessed from another. */
export function drawStatus(state: State, jti: string): { idx: number; uri: string } {
  const { has, issuer, statuses } = state
  const idx = has('status-index-counted-up') ? statuses.size : randomInt(SIZE)
  if (statuses.has(idx)) return drawStatus(state, jti)
  statuses.set(idx, jti)
  return { idx, uri: `${issuer}${STATUS_LIST_PATH}` }
}

export async function serveStatusList(state: State, key: SigningKey): Promise<Reply> {
  const { has, issuer, statuses, revokedJtis } = state
  const bytes = Buffer.alloc(SIZE / 8)
  for (const [idx, jti] of statuses) {
    if (!revokedJtis.has(jti) && !has('fresh-token-listed-as-revoked')) continue
    bytes.writeUInt8(bytes.readUInt8(idx >> 3) | (1 << (idx & 7)), idx >> 3)
  }
  const claims = {
    sub: has('status-list-sub-differs') ? issuer : `${issuer}${STATUS_LIST_PATH}`,
    iat: Math.floor(Date.now() / 1000),
    ttl: 60,
    status_list: { bits: 1, lst: deflateSync(bytes).toString('base64url') },
  }
  const typ = has('status-list-typ-plain') ? 'JWT' : 'statuslist+jwt'
  const headers = { 'Content-Type': 'application/statuslist+jwt' }
  return { status: 200, headers, body: await signJwt(key, typ, claims, has) }
}
