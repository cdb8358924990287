// LINEAGE_OPS_PORT: management and probes leave the public port, which then knows nothing of them.

import { test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { ADMIN } from '../support/app.ts'
import { serverEnvironment, spawnLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'

test('the operations port serves /admin and probes, the public one answers 404 for them', async (t) => {
  const opsPort = await findFreePort()
  const env = serverEnvironment((await openTestDatabase(t)).url)
  const service = await spawnLineage(t, { ...env, LINEAGE_OPS_PORT: String(opsPort) })
  await service.logged('service.started')
  const operations = `http://127.0.0.1:${opsPort}`
  const answer = await service.form('/token', {
    grant_type: 'client_credentials',
    client_id: ADMIN.id,
    client_secret: ADMIN.secret,
  })
  t.equal(answer.status, 200)
  const { access_token: token } = (await answer.json()) as { access_token: string }
  const headers = { authorization: `Bearer ${token}` }
  for (const path of ['/livez', '/readyz', '/admin/users', '/admin/clients', '/admin/keys']) {
    t.equal((await fetch(`${operations}${path}`, { headers })).status, 200, `operations ${path}`)
    t.equal((await service.fetch(path, { headers })).status, 404, `public ${path}`)
    t.equal((await service.fetch(path, { method: 'POST', headers })).status, 404)
  }
  for (const path of [
    '/token',
    '/verify',
    '/verify/x',
    '/.well-known/jwks.json',
    '/users/me',
    '/docs',
  ]) {
    t.equal((await fetch(`${operations}${path}`, { headers })).status, 404, `operations ${path}`)
  }
  t.equal((await service.fetch('/.well-known/jwks.json')).status, 200)
  t.equal((await service.fetch('/verify', { headers })).status, 200)
})
