// `--prune` takes away what an apply with the label has made and its files no longer name, and nothing else
// whatever it is called.

import { test } from 'tap'
import {
  openDeclarativeScene,
  publicClient,
  resource,
  WEBHOOK_SECRET,
} from '../scenes/declarative-scene.ts'
import { readEvents } from '../support/audit.ts'

const ISSUER = {
  issuer: 'https://idp.example.com',
  kind: 'oidc',
  jwksUri: 'https://idp.example.com/k',
}
const HOOK = { url: 'https://hooks.example.com/a', events: ['user.created'] }
const TEAM = ['--label', 'team=payments']

test('what the files no longer name goes, in the right order, and users are disabled', async (t) => {
  const { app, apply, query, snapshot } = await openDeclarativeScene(t)
  const all = [
    publicClient('web'),
    publicClient('old'),
    resource('TrustedIssuer', 'idp', ISSUER),
    resource('User', 'ada', { email: 'ada@example.com' }),
    resource('Webhook', 'desk', HOOK, { secretFrom: { env: 'A_WEBHOOK_SECRET' } }),
  ]
  t.equal((await apply(all, TEAM)).code, 0)
  const before = await snapshot()
  const left = [publicClient('web')]
  const kept = await apply(left, [...TEAM, '--dry-run'])
  t.match(kept, { code: 0, stdout: /1 as they are/ }, 'without --prune all of it stays')
  const planned = await apply(left, [...TEAM, '--prune', '--dry-run'])
  t.equal(planned.code, 2)
  t.equal(await snapshot(), before)
  const pruned = await apply(left, [...TEAM, '--prune'])
  t.equal(pruned.code, 0, pruned.stderr)
  t.match(
    pruned.stdout,
    'Webhook desk removed\nUser ada disabled\nClient old removed\nTrustedIssuer idp removed\n',
  )
  t.strictSame(await query('SELECT id FROM clients'), [{ id: 'web' }])
  t.strictSame(await query('SELECT 1 FROM webhooks UNION ALL SELECT 1 FROM trusted_issuers'), [])
  t.strictSame(await query('SELECT username, status FROM users'), [
    { username: 'ada', status: 'disabled' },
  ])
  const types = ['webhook.deleted', 'user.disabled', 'client.deleted', 'trusted_issuer.deleted']
  const events = await readEvents(app)
  for (const type of types) {
    t.match(
      events.find((event) => event.type === type),
      { detail: { by: 'lineage:apply' } },
      type,
    )
  }
  const settled = await snapshot()
  t.match((await apply(left, [...TEAM, '--prune'])).stdout, /0 to remove, 0 to disable/)
  t.equal(await snapshot(), settled, 'a second time there is nothing to do')

  const named = await apply([...left, resource('User', 'ada', { email: 'ada@example.com' })], TEAM)
  t.equal(named.code, 0, named.stderr)
  t.strictSame(await query('SELECT status FROM users'), [{ status: 'active' }], 'named again')
  t.equal(
    (await apply([...left, resource('User', 'ada', { email: 'ada@example.com' })], TEAM)).code,
    0,
  )
})

test('nothing else is ever touched', async (t) => {
  const { app, apply, query } = await openDeclarativeScene(t)
  await app.makeClient({ id: 'by-hand' })
  await app.makeUser({ username: 'grace' })
  const taken = publicClient('taken-over')
  await app.makeClient({ id: 'taken-over' })
  await apply([taken, publicClient('ours'), publicClient('gone')], TEAM)
  await apply(publicClient('theirs'), ['--label', 'team=orders'])
  await apply(publicClient('nobodys'))
  // Deleted and made anew by somebody else under the same id.
  await app.admin('DELETE', '/admin/clients/gone')
  await app.makeClient({ id: 'gone' })

  const pruned = await apply(publicClient('new'), [...TEAM, '--prune'])
  t.equal(pruned.code, 0, pruned.stderr)
  t.match(pruned.stdout, 'Client taken-over stays: no file has made it')
  t.match(pruned.stdout, '- Client ours')
  t.strictSame(
    (await query<{ id: string }>('SELECT id FROM clients ORDER BY id')).map(({ id }) => id),
    ['by-hand', 'gone', 'new', 'nobodys', 'taken-over', 'theirs'],
  )
  t.strictSame(await query('SELECT username, status FROM users'), [
    { username: 'grace', status: 'active' },
  ])
  const token = await app.adminToken()
  t.ok(token, 'the bootstrap client is there')

  const empty = await apply('# nothing\n', [...TEAM, '--prune'])
  t.match(empty, { code: 1, stderr: /the files name nothing/ })
  const other = publicClient('one', {}, { team: 'orders' })
  t.match(await apply(other, [...TEAM, '--prune']), {
    ...{ code: 1, stdout: /\/metadata\/labels has another value/ },
  })
  for (const label of ['no good=x', 'team=no good']) {
    const bad = await apply(publicClient('one'), ['--label', label])
    t.match(bad, { code: 1, stdout: /Client one: \/metadata\/labels/ }, label)
  }
  t.equal((await query('SELECT id FROM clients')).length, 6)
})

test('two labels are both asked for, and a label that is taken out no longer counts', async (t) => {
  const { apply, query } = await openDeclarativeScene(t)
  const labels = { team: 'payments', stage: 'test' }
  await apply([publicClient('both', {}, labels), publicClient('one', {}, { team: 'payments' })])
  const args = [...TEAM, '--label', 'stage=test', '--prune']
  t.match((await apply(publicClient('next'), args)).stdout, /- Client both[\s\S]*1 to remove/)
  await apply(publicClient('one'))
  t.match((await apply(publicClient('next'), [...TEAM, '--prune'])).stdout, /0 to remove/)
  t.strictSame(await query('SELECT id FROM clients ORDER BY id'), [{ id: 'next' }, { id: 'one' }])
  t.notMatch(JSON.stringify(await query('SELECT applied FROM clients')), WEBHOOK_SECRET)
})
