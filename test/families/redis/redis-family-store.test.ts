// What is particular to the Redis adapter beside the contract (test/contract): round trips, what
// it says about a badly configured server, and TLS.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { test } from 'tap'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { packWords } from '../../../src/families/redis/packed-text.ts'
import { keysOf } from '../../../src/families/redis/redis-keys.ts'
import type { Confirmation } from '../../../src/oauth/confirmation.ts'
import { logIn, newLogin, newUser, rotateOn, withRoles } from '../../contract/family-bench.ts'
import { openReadyStore, openStore, rejectionOf } from '../../scenes/redis-fixture.ts'
import { startRedis } from '../../support/redis.ts'

test('every method is one round trip, on a fresh connection too', async (t) => {
  const server = await startRedis(t)
  const store = await openReadyStore(t, server.url)
  const direct = new Redis(server.port)
  const monitor = await direct.monitor()
  t.teardown(() => {
    monitor.disconnect()
    direct.disconnect()
  })
  const commands: string[] = []
  monitor.on('monitor', (_at: string, [command = '']: string[], source: string) => {
    if (source !== 'lua') commands.push(command.toLowerCase())
  })
  const user = newUser()
  const family = await logIn(store, user)
  const owner = { userId: user.userId }
  const calls = [
    () => rotateOn(store, family),
    () => store.inspect({ owner, familyId: family.familyId, jti: 'x' }),
    () => store.index(user.userId),
    () => store.putUser(withRoles(user, [])),
    () => store.revokeToken({ owner, jti: 'x', expiresAtMs: Date.now() + 60_000 }, Date.now()),
    () => store.end({ ...family, reason: 'revoked_by_user', atMs: family.rotatedAtMs }),
  ]
  for (const call of calls) await call()
  await server.cli('ECHO', 'the end')
  while (!commands.includes('echo')) await new Promise(setImmediate)
  const own = commands.slice(0, commands.indexOf('evalsha') + 1 + calls.length)
  t.strictSame(
    own.filter((command) => command.startsWith('eval')),
    Array.from({ length: 1 + calls.length }, () => 'evalsha'),
  )
})

test('only a family that is bound takes a byte for it, and keeps it over refreshes', async (t) => {
  const server = await startRedis(t)
  const store = await openReadyStore(t, server.url)
  const source = { ip: '192.0.2.1', userAgent: 'curl/8' }
  const length = async (confirmation: Confirmation | undefined) => {
    const family = await logIn(store, newUser(), { confirmation, ...source })
    const key = keysOf({ userId: family.userId }).family(family.familyId)
    const made = Number(await server.cli('STRLEN', key))
    const refreshed = await rotateOn(store, family, source)
    await rotateOn(store, refreshed, { ...source, userAgent: 'curl/9' })
    t.equal(Number(await server.cli('STRLEN', key)), made)
    return made
  }
  const [jkt, x5t] = ['k'.repeat(43), 'c'.repeat(43)]
  // The numbers, and each text with its length: hash, client, scope, audience, address, agent.
  const { scope, audience, clientId } = newLogin(newUser()).family
  const words = [scope, audience].map((list) => packWords(list).length)
  const texts = [43, clientId.length, source.ip.length, source.userAgent.length, ...words]
  const plain = 35 + texts.reduce((sum, one) => sum + one) + 9
  t.equal(await length(undefined), plain)
  t.equal(await length({ jkt }), plain + 44)
  t.equal(await length({ 'x5t#S256': x5t }), plain + 44)
  t.equal(await length({ jkt, 'x5t#S256': x5t }), plain + 88)
})

test('a server that evicts or keeps no AOF is warned about, until that is put right', async (t) => {
  const args = ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru']
  const server = await startRedis(t, { args })
  const store = await openReadyStore(t, server.url)
  t.match(store.warnings(), [/maxmemory-policy is allkeys-lru/, /appendonly is off/])
  await server.cli('CONFIG', 'SET', 'appendonly', 'yes')
  await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  await store.ping()
  t.strictSame(store.warnings(), [])
  // While it writes its first AOF a server does not stop when it is asked to.
  await server.kill()
})

test('a server that forbids INFO cannot be checked, and serves', async (t) => {
  const server = await startRedis(t)
  await server.cli('ACL', 'SETUSER', 'app', 'on', '>pw', '~lineage:*', '+@all', '-info')
  const store = await openReadyStore(t, server.url.replace('//', '//app:pw@'))
  t.match(store.warnings(), [/forbids INFO.*could not be checked/])
  t.equal((await rotateOn(store, await logIn(store))).generation, 1)
})

test('the database number of the URL is used', async (t) => {
  const server = await startRedis(t)
  const store = await openReadyStore(t, `${server.url}/3`)
  await logIn(store)
  t.match(await server.cli('INFO', 'keyspace'), /^db3:keys=3,/m)
})

test('TLS: the certificate is checked, then commands go encrypted', async (t) => {
  const dir = t.testdir()
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
      .concat(['-days', '1', '-keyout', key, '-out', cert])
      .concat(subject),
    { stdio: 'ignore' },
  )
  const server = await startRedis(t)
  await server.cli(
    'CONFIG',
    'SET',
    'tls-cert-file',
    cert,
    'tls-key-file',
    key,
    'tls-ca-cert-file',
    cert,
  )
  await server.cli('CONFIG', 'SET', 'tls-auth-clients', 'no')
  const tlsPort = await findFreePort()
  await server.cli('CONFIG', 'SET', 'tls-port', String(tlsPort))
  const url = `rediss://127.0.0.1:${tlsPort}`

  const { store: strict, connectionErrors } = openStore(t, url)
  await rejectionOf(strict.ready(500))
  t.ok(connectionErrors.includes('DEPTH_ZERO_SELF_SIGNED_CERT'), 'not trusted, not used')

  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  t.teardown(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
  const store = await openReadyStore(t, url)
  t.equal((await rotateOn(store, await logIn(store))).generation, 1)
})
