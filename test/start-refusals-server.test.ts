// A start that PostgreSQL refuses for how it is set up itself: by pg_hba.conf, or with a certificate
// that we do not trust. Neither is waited for, and both are told in one line.

import { chownSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { type Test, test } from 'tap'
import { runHere } from './support/command-line.ts'
import { type Change, changed, startFails } from './support/failing-start.ts'
import { startPostgres } from './support/postgres.ts'
import { makeCertificate } from './support/tls-front.ts'
import { until } from './support/until.ts'

interface Server {
  readonly url: string
  /** Replaces a file in the data directory, for the server's own account alone. */
  write(name: string, text: string): void
  /** Over a connection that was there before, which no change of the rules ends. */
  run(statement: string): Promise<unknown[]>
  /** Makes the server read its files again, and waits until it goes by them. */
  reload(isInForce: (failure: Error | undefined) => boolean): Promise<void>
}

async function openServer(t: Test): Promise<Server> {
  const { url } = await startPostgres(t)
  const admin = new pg.Client({ connectionString: url })
  admin.on('error', () => {})
  await admin.connect()
  const run = async (statement: string) => (await admin.query(statement)).rows
  const [{ path }] = (await run(`SELECT current_setting('hba_file') AS path`)) as [{ path: string }]
  const dir = dirname(path)
  return {
    url,
    write(name, text) {
      writeFileSync(join(dir, name), text, { mode: 0o600 })
      const { uid, gid } = statSync(dir)
      chownSync(join(dir, name), uid, gid)
    },
    run,
    async reload(isInForce) {
      await run('SELECT pg_reload_conf()')
      await until('the new files', async () => isInForce(await tryToConnect(url)))
    },
  }
}

async function tryToConnect(url: string): Promise<Error | undefined> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  const failure = await client.connect().then(
    () => undefined,
    (error: Error) => error,
  )
  await client.end()
  return failure
}

/** The start ends at once with the line, and `lineage doctor` has the advice. */
async function checkRefusal(t: Test, url: string, change: Change, said: RegExp, advice: RegExp) {
  const env = changed(url, change)
  const { line, down } = await startFails(t, env)
  t.match(line, /^PostgreSQL refuses: .*; `lineage doctor` says what to do$/)
  t.match(line, said)
  t.strictSame(down, [], 'nothing was waited for')
  const { stdout } = await runHere(env, ['doctor'])
  t.match(stdout, said)
  t.match(stdout, advice)
}

test('a pg_hba.conf that does not let us in is told of in the words of the server', async (t) => {
  const server = await openServer(t)
  const rules = {
    'host all all 0.0.0.0/0 reject': /pg_hba\.conf rejects connection for host .*\(28000\)/,
    'host all all 192.0.2.1/32 trust': /no pg_hba\.conf entry for host .*\(28000\)/,
  }
  for (const [rule, said] of Object.entries(rules)) {
    server.write('pg_hba.conf', `${rule}\n`)
    await server.reload(
      (failure) => failure !== undefined && said.test(`${failure.message} (28000)`),
    )
    await checkRefusal(t, server.url, () => {}, said, /let this user in by pg_hba\.conf/)
  }
})

test('a certificate that we do not trust, or of another host, is told of at once', async (t) => {
  const server = await openServer(t)
  const { key, cert } = makeCertificate(t)
  const ca = join(t.testdir({ 'ca.pem': cert }), 'ca.pem')
  server.write('server.key', key)
  server.write('server.crt', cert)
  await server.run('ALTER SYSTEM SET ssl = on')
  server.write('pg_hba.conf', 'hostssl all all 127.0.0.1/32 scram-sha-256\n')
  await server.reload((failure) => /no encryption/.test(failure?.message ?? ''))
  const verified: Change = (url) => url.searchParams.set('sslmode', 'verify-full')
  const trusting: Change = (url) => {
    verified(url)
    url.searchParams.set('sslrootcert', ca)
  }
  const advice = /check sslmode and sslrootcert/
  await checkRefusal(t, server.url, verified, /self-signed certificate/, advice)
  await checkRefusal(t, server.url, trusting, /altnames.* 127\.0\.0\.1/, advice)
  await checkRefusal(t, server.url, () => {}, /no encryption \(28000\)/, /if it wants TLS/)

  const named = changed(server.url, (url) => {
    trusting(url)
    url.hostname = 'localhost'
  })
  t.equal(
    (await runHere(named, ['migrate'])).code,
    0,
    'with its own name and certificate it is let in',
  )
})

test('a login that fails here leaves no connection behind', async (t) => {
  const { url, run } = await openServer(t)
  // Else the server ends it itself after a minute.
  await run("ALTER SYSTEM SET authentication_timeout = '10min'")
  await run('SELECT pg_reload_conf()')
  const env = changed(url, (one) => {
    one.password = ''
  })
  t.match((await startFails(t, env)).line, /SASL.* password/)
  const left = () => run("SELECT pid FROM pg_stat_activity WHERE state = 'starting'")
  await until('the end of the login at the server', async () => (await left()).length === 0)
})
