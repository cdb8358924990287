// The largest identity that Lineage gives anybody passes.

import type { Test } from 'tap'
import { ROLES_MAX } from '../../../src/users/user-roles.ts'
import type { Scene } from '../../scenes/gateway-scene.ts'
import { logIn } from '../../support/app.ts'
import { ask, identityIn, identityOf, type Subject } from './checks.ts'

const ROLE_LENGTH_MAX = 64
const SCOPE_LENGTH_MAX = 128
/** Of the scopes and audiences of a client together, as JSON. */
const TARGET_BYTES_MAX = 2_560

const BODY_BYTES = 100_000

export async function checkLargestIdentity(t: Test, subject: Subject): Promise<void> {
  const { lineage, addresses } = subject.scene
  const audiences = [addresses.issuer]
  const scopes = fillScopes(['notes:read'], audiences)
  await t.rejects(makeClient(subject.scene, [...scopes, 'x'], audiences), 'no client may have more')
  const client = await makeClient(subject.scene, scopes, audiences)
  const roles = Array.from({ length: ROLES_MAX }, (_, at) => `${at}`.padEnd(ROLE_LENGTH_MAX, 'r'))
  const { access_token: token } = await logIn(lineage, client, await lineage.makeUser({ roles }))
  const headers = subject.present(token)
  // A body takes its part of a gateway's buffer.
  for (const body of [undefined, Buffer.alloc(BODY_BYTES, 'all of it ')]) {
    const method = body ? 'POST' : 'GET'
    const path = `${subject.path}1`
    const { answer, arrived } = await ask(subject, { method, path, headers, ...(body && { body }) })
    t.equal(answer.status, 200, method)
    t.strictSame(identityIn(arrived), identityOf(token), method)
    t.equal(arrived?.body.length, body?.length ?? 0)
  }
}

async function makeClient(
  { lineage }: Scene,
  scopes: readonly string[],
  audiences: readonly string[],
): Promise<{ id: string; secret: string }> {
  return await lineage.makeClient({ scopes, defaultScopes: scopes, audiences })
}

/** As many characters of scope as a client may have. */
function fillScopes(first: readonly string[], audiences: readonly string[]): readonly string[] {
  const used = Buffer.byteLength(JSON.stringify([first.join(' '), audiences]))
  const length = Math.min(TARGET_BYTES_MAX - used - 1, SCOPE_LENGTH_MAX)
  if (length < 1) return first
  return fillScopes([...first, `s${first.length}`.padEnd(length, 's').slice(0, length)], audiences)
}
