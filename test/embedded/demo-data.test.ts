// The demo user and clients: what is printed of them is what works now.

import { test } from 'tap'
import { findStaleDemo, formatDemoCommands, openDemoData } from '../../src/embedded/demo-data.ts'
import { startApp } from '../support/app.ts'

test('no secret is printed that was rotated away', async (t) => {
  const { service } = await startApp(t)
  const { clientStore, clients, users, hasher } = service
  const issuer = 'http://localhost:3000'
  const demo = await openDemoData({ dataDir: t.testdir({}), issuer, clientStore, users, hasher })
  const look = async () => {
    await clients.reload()
    return await findStaleDemo(demo, { clients, users, hasher })
  }
  const fresh = await look()
  t.strictSame(fresh, { user: false, service: false, admin: false })
  const secrets = [demo.user.password, demo.confidentialClient.secret, demo.adminClient.secret]
  const printed = formatDemoCommands(demo, fresh)
  for (const secret of secrets) t.match(printed, secret)
  t.match(printed, `${issuer}/docs`)

  await clientStore.delete(demo.confidentialClient.id)
  await clientStore.delete(demo.adminClient.id)
  const [user] = (await users.list({}, { limit: 1, after: undefined })).items
  if (!user) throw new Error('no demo user')
  await users.setPassword(user.id, await hasher.hash('another passphrase'))
  const stale = await look()
  t.strictSame(stale, { user: true, service: true, admin: true })
  const text = formatDemoCommands(demo, stale)
  for (const secret of secrets) t.notMatch(text, secret)
  for (const name of ['PASSWORD', 'SERVICE_SECRET', 'ADMIN_SECRET']) {
    t.match(text, `was replaced: set ${name}\n`)
    t.match(text, `"$${name}"`)
  }
})
