// What may happen between the check of a password and the creation of the family.

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import type { FamilyId } from '../../src/families/family.ts'
import type { GrantServices } from '../../src/grants/grant.ts'
import { password } from '../../src/grants/password.ts'
import type { UserId } from '../../src/users/user.ts'
import { startApp } from '../support/app.ts'

const SOURCE = { ip: '127.0.0.1', userAgent: '', requestId: 'one' }

/** A service with an administrator, who logs in by its parts. */
async function openScene(t: Test) {
  const app = await startApp(t)
  const { id: clientId } = await app.makeClient({ scopes: ['lineage:admin'] })
  const user = await app.makeUser({ roles: ['lineage:admin'] })
  const form = new Map([
    ['username', user.username],
    ['password', user.password],
    ['scope', 'lineage:admin'],
  ])
  return {
    app,
    clientId,
    user,
    async logIn(changed: Partial<GrantServices>) {
      const client = await app.service.clients.find(clientId)
      if (!client) throw new Error('the client has just been made')
      const issue = password.read({ get: (name) => form.get(name), resources: [] })
      const callerSignal = () => new AbortController().signal
      const context = { client, source: SOURCE, confirm: () => undefined, callerSignal }
      return await issue(context, { ...app.service.grants, ...changed })
    },
  }
}

test('a role that is taken away while the password is hashed opens nothing', async (t) => {
  const { app, user, logIn } = await openScene(t)
  const { login } = app.service.grants
  const issued = await logIn({
    async login(credentials, source) {
      const record = await login(credentials, source)
      const answer = await app.admin('PATCH', `/admin/users/${user.id}`, { roles: [] })
      t.equal(answer.status, 200)
      return record
    },
  })
  t.strictSame(issued.scope, [])
  const { scope, roles } = decodeJwt(issued.accessToken)
  t.strictSame({ scope, roles }, { scope: undefined, roles: [] })
})

test('a family was never used before it was made, also where the clock is behind', async (t) => {
  const { app, clientId, user, logIn } = await openScene(t)
  await app.admin('DELETE', `/admin/clients/${clientId}/sessions`)
  const issued = await logIn({ clock: () => Date.now() - 60_000 })
  const { sid } = decodeJwt<{ sid: FamilyId }>(issued.accessToken)
  const [family] = await app.service.families.read(user.id as UserId, [sid])
  t.ok(family)
  t.equal(family?.rotatedAtMs, family?.createdAtMs)
})
