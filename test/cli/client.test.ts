// `lineage client …` beside a running instance: made, listed and given new secrets, in force there
// by its poll (docs/semantics.md §20).

import { test } from 'tap'
import { startApp } from '../support/app.ts'
import { runHere, runJson } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { until } from '../support/until.ts'

const JOBS = ['client', 'create', '--id', 'jobs', '--name', 'Jobs', '--type', 'confidential']
const GRANT = ['--grant-type', 'client_credentials']

/** Asking again and again before the poll is many wrong secrets. */
const EAGER = { throttleExempt: ['127.0.0.0/8'] }

test('a client and its secrets work at a running instance after its poll', async (t) => {
  const app = await startApp(t, { config: EAGER })
  const env = serverEnvironment(app.databaseUrl)
  const tokenFor = async (secret: string) => {
    const answer = await app.form('/token', {
      grant_type: 'client_credentials',
      client_id: 'jobs',
      client_secret: secret,
    })
    return answer.status
  }

  const made = await runHere(env, [...JOBS, ...GRANT, '--scope', 'jobs:run', 'jobs:read'])
  t.equal(made.code, 0)
  const first = /^clientSecret +(lcs_\S+)$/m.exec(made.stdout)?.[1] ?? ''
  t.match(made.stdout, /^scopes +jobs:run jobs:read$/m)
  t.notMatch(made.stderr, first, 'the secret is on stdout, once')
  t.equal(made.stdout.split(first).length, 2)
  await until('a token for the new client', async () => (await tokenFor(first)) === 200)

  const added = await runJson<{ clientSecret: string }>(t, env, ['client', 'rotate-secret', 'jobs'])
  const second = added.clientSecret
  await until('the second secret', async () => (await tokenFor(second)) === 200)
  t.equal(await tokenFor(first), 200, 'both work')
  const full = await runHere(env, ['client', 'rotate-secret', 'jobs'])
  t.match(full, { code: 1, stdout: '', stderr: /--drop-oldest/ })

  const drop = ['client', 'rotate-secret', 'jobs', '--drop-oldest', '--json']
  const third = JSON.parse((await runHere(env, drop)).stdout).clientSecret
  await until('the third secret', async () => (await tokenFor(third)) === 200)
  t.strictSame([await tokenFor(first), await tokenFor(second)], [401, 200])

  const types = ['--type', 'client.secret_added', '--type', 'client.secret_removed']
  const { stdout } = await runHere(env, ['events', 'tail', ...types])
  t.strictSame(stdout.match(/client\.secret_\w+ clientId=jobs by=lineage:cli/g)?.length, 3)
})

test('--drop-oldest of an only secret leaves the new one alone', async (t) => {
  const env = serverEnvironment((await startApp(t)).databaseUrl)
  await runHere(env, [...JOBS, ...GRANT])
  const rotated = await runHere(env, ['client', 'rotate-secret', 'jobs', '--drop-oldest', '--json'])
  const [client] = await runJson<{ secrets: object[] }[]>(t, env, ['client', 'list'])
  t.match(client, { id: 'jobs', secrets: [{ id: JSON.parse(rotated.stdout).id }] })
  t.equal(client?.secrets.length, 1)
})

test('every member of /admin/clients has its option', async (t) => {
  const app = await startApp(t)
  const env = serverEnvironment(app.databaseUrl)
  const args =
    'client create --id web --name Web --type public --grant-type password --grant-type ' +
    'refresh_token --scope a b --default-scope a --audience https://a.test https://b.test ' +
    '--auth-method none --access-token-ttl-seconds 300 --refresh-idle-ttl-seconds 1000 ' +
    '--refresh-absolute-ttl-seconds 2000 --refresh-grace-seconds 10 --token-delivery cookie ' +
    '--access-token-cookie --allowed-origin https://app.test --forwards-client-ip ' +
    '--require-factor --refresh-rotate-after-seconds 60'
  const made = await runJson<Record<string, unknown>>(t, env, args.split(' '))
  const { createdAt, updatedAt, ...members } = made
  t.match([createdAt, updatedAt], [String, String])
  t.strictSame(members, {
    id: 'web',
    name: 'Web',
    type: 'public',
    grantTypes: ['password', 'refresh_token'],
    scopes: ['a', 'b'],
    defaultScopes: ['a'],
    audiences: ['https://a.test', 'https://b.test'],
    authMethods: ['none'],
    accessTokenTtlSeconds: 300,
    refreshIdleTtlSeconds: 1000,
    refreshAbsoluteTtlSeconds: 2000,
    refreshGraceSeconds: 10,
    tokenDelivery: 'cookie',
    accessTokenCookie: true,
    allowedOrigins: ['https://app.test'],
    forwardsClientIp: true,
    requireFactor: true,
    jwks: null,
    jwksUri: null,
    allowPrivateNetwork: false,
    assertionAlgs: [],
    federatedIdentities: [],
    exchange: [],
    dpopBoundAccessTokens: false,
    tlsClientAuth: null,
    tlsClientCertificateBoundAccessTokens: false,
    refreshRotation: 'always',
    refreshRotateAfterSeconds: 60,
    signingAlg: null,
    secrets: [],
  })
  t.strictSame(await (await app.admin('GET', '/admin/clients/web')).json(), made)
})

test('every member about keys, certificates and exchanges has its option, too', async (t) => {
  const app = await startApp(t)
  const env = serverEnvironment(app.databaseUrl)
  const identity = { trustedIssuer: 'ci', subject: 'repo:acme/web:ref:refs/heads/main' }
  const exchange = {
    audience: 'https://b.test',
    scopes: ['a'],
    subjectClients: ['web'],
    mode: 'delegation',
  }
  const members = {
    authMethods: ['federated_jwt', 'private_key_jwt', 'tls_client_auth'],
    jwksUri: 'https://keys.example.test/jwks.json',
    assertionAlgs: ['ES256', 'PS256'],
    federatedIdentities: [identity],
    exchange: [exchange],
    dpopBoundAccessTokens: true,
    tlsClientAuth: { sanDns: 'jobs.example.test' },
    tlsClientCertificateBoundAccessTokens: true,
    refreshRotation: 'never',
    signingAlg: 'ES256',
  }
  const args = [
    ...'client create --id jobs --name Jobs --type confidential --scope a'.split(' '),
    ...['--grant-type', 'client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    ...['--auth-method', ...members.authMethods, '--jwks-uri', members.jwksUri],
    ...['--allow-private-network', '--assertion-alg', ...members.assertionAlgs],
    ...['--federated-identity', JSON.stringify(identity), '--exchange', JSON.stringify(exchange)],
    ...['--tls-client-auth', JSON.stringify(members.tlsClientAuth), '--dpop-bound-access-tokens'],
    ...['--tls-client-certificate-bound-access-tokens', '--refresh-rotation', 'never'],
    ...['--signing-alg', 'ES256'],
  ]
  const made = await runJson<Record<string, unknown>>(t, env, args)
  t.match(made, { ...members, allowPrivateNetwork: true, secrets: [] })
  t.strictSame(await (await app.admin('GET', '/admin/clients/jobs')).json(), made)
})

test('what cannot be is refused: the rules of /admin/clients', async (t) => {
  const env = serverEnvironment((await startApp(t)).databaseUrl)
  const web = ['client', 'create', '--id', 'web', '--name', 'Web', '--type', 'public']
  const bad = await runHere(env, [...web, ...GRANT, '--json'])
  t.equal(bad.code, 1)
  t.match(JSON.parse(bad.stdout), { errors: [{ pointer: '/grantTypes' }] })
  const good = [...web, '--grant-type', 'password']
  t.equal((await runHere(env, good)).code, 0)
  t.match(await runHere(env, good), { code: 1, stderr: /taken already/ })
  const ofPublic = await runHere(env, ['client', 'rotate-secret', 'web'])
  t.match(ofPublic, { code: 1, stderr: /a public client has no secret/ })
  const ofNone = await runHere(env, ['client', 'rotate-secret', 'none'])
  t.match(ofNone, { code: 1, stderr: /no such client/ })
  t.match(await runHere(env, ['client', 'list']), {
    stdout: /^ID +NAME +TYPE .*\nweb +Web +public +password +- +0 .*\n$/,
  })
})
