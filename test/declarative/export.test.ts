// `lineage export` writes what `apply` takes: applied again it changes nothing, whatever is stored, and on
// another installation it makes the same.

import { test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { readResourceSchema } from '../../src/declarative/resource-schema.ts'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import {
  CLIENT_SECRET,
  openDeclarativeScene,
  publicClient,
  resource,
  WEBHOOK_SECRET,
} from '../scenes/declarative-scene.ts'

const KEYS = {
  keys: [
    {
      ...makeKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
      kid: 'one',
    },
  ],
}

/** Together every member of every kind has a value that is not its default. */
const EVERYTHING = [
  resource('TrustedIssuer', 'idp', {
    ...{ issuer: 'https://idp.example.com', kind: 'kubernetes', jwks: KEYS, audience: 'us' },
    ...{
      algs: ['ES256'],
      replay: 'single_use',
      subjects: { mode: 'users', claim: 'sub', match: 'id' },
    },
  }),
  resource('TrustedIssuer', 'by-uri', {
    ...{ issuer: 'spiffe://example.org', kind: 'spiffe', jwksUri: 'https://10.0.0.1/keys' },
    allowPrivateNetwork: true,
  }),
  resource(
    'Client',
    'web',
    {
      ...{ name: 'Web: "shop" #1', type: 'public', grantTypes: ['password', 'refresh_token'] },
      ...{ scopes: ['a', 'b'], defaultScopes: ['b'], audiences: ['https://api.example.com'] },
      ...{ accessTokenTtlSeconds: 100, refreshIdleTtlSeconds: 1000 },
      ...{ refreshAbsoluteTtlSeconds: 2000, refreshGraceSeconds: 20, tokenDelivery: 'cookie' },
      ...{ accessTokenCookie: true, allowedOrigins: ['https://app.example.com'] },
      ...{ requireFactor: true, refreshRotateAfterSeconds: 10, signingAlg: 'ES256' },
    },
    { labels: { team: 'shop', 'a/b.c': '' } },
  ),
  resource('Client', 'native', {
    ...{ name: 'Native', type: 'public', grantTypes: ['password', 'refresh_token'] },
    ...{ dpopBoundAccessTokens: true, refreshRotation: 'never' },
  }),
  resource(
    'Client',
    'service',
    {
      ...{ name: 'Service', type: 'confidential', forwardsClientIp: true, scopes: ['s'] },
      grantTypes: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      authMethods: ['client_secret_basic', 'private_key_jwt', 'federated_jwt'],
      ...{ jwks: KEYS, assertionAlgs: ['ES256'] },
      federatedIdentities: [{ trustedIssuer: 'idp', subject: 'x', claims: { ref: 'main' } }],
      exchange: [
        {
          ...{ audience: 'https://api.example.com', scopes: ['s'], subjectClients: ['web'] },
          ...{ mode: 'delegation', mayAct: 'native' },
        },
      ],
    },
    { secretFrom: { env: 'A_CLIENT_SECRET' } },
  ),
  resource('Client', 'certified', {
    ...{ name: 'Certified', type: 'confidential', grantTypes: ['client_credentials'] },
    ...{ authMethods: ['tls_client_auth'], tlsClientAuth: { sanDns: 'a.example.com' } },
    tlsClientCertificateBoundAccessTokens: true,
  }),
  resource('Client', 'by-uri', {
    ...{ name: 'By URI', type: 'confidential', grantTypes: ['client_credentials'] },
    ...{ authMethods: ['private_key_jwt'], jwksUri: 'https://10.0.0.1/keys' },
    allowPrivateNetwork: true,
  }),
  resource(
    'User',
    'Ada',
    {
      ...{ id: '11111111-1111-4111-8111-111111111111', email: 'ada@example.com' },
      ...{ emailVerified: true, status: 'disabled', roles: ['editor', 'lineage:admin'] },
    },
    { labels: { team: 'shop' } },
  ),
  resource(
    'Webhook',
    'desk',
    {
      ...{ url: 'http://10.0.0.1/hook', events: ['user.created', 'user.deleted'] },
      ...{ description: 'Desk: yes', status: 'disabled', allowPrivateNetwork: true },
    },
    { secretFrom: { env: 'A_WEBHOOK_SECRET' } },
  ),
]

test('an export that is applied again has no difference, whatever is stored', async (t) => {
  const { app, apply, run, snapshot } = await openDeclarativeScene(t)
  const made = await apply(EVERYTHING)
  t.equal(made.code, 0, made.stdout + made.stderr)
  // What was made in other ways, with ids that the service chose.
  await app.makeClient({})
  await app.makeClient({ id: 'plain', type: 'confidential', grantTypes: ['client_credentials'] })
  await app.makeUser({})
  const hook = { url: 'https://hooks.example.com/b', events: ['user.created'] }
  await app.admin('POST', '/admin/webhooks', hook)

  const before = await snapshot()
  const yaml = await run(['export'])
  t.equal(yaml.code, 0, yaml.stderr)
  const again = await run(['apply', '-f', '-', '--dry-run'], yaml.stdout)
  t.equal(again.code, 0, again.stdout + again.stderr)
  t.match(again.stdout, /13 as they are/)
  const json = await run(['export', '--json'])
  t.equal((await run(['apply', '-f', '-'], json.stdout)).code, 0)
  t.equal(await snapshot(), before)
  const documents = parseAllDocuments(yaml.stdout)
  t.strictSame(
    (Array.isArray(documents) ? documents : []).map((one) => one.toJS()),
    JSON.parse(json.stdout),
    'both say the same',
  )
  t.match(yaml.stdout, /# secretFrom: \{env: NAME\}/)
  for (const text of [yaml.stdout, json.stdout]) {
    t.notMatch(text, CLIENT_SECRET)
    t.notMatch(text, WEBHOOK_SECRET)
    t.notMatch(text, /argon2|passwordHash/)
  }
})

test('what was declared is exported as it was, every member of every kind among it', async (t) => {
  const { apply, run } = await openDeclarativeScene(t)
  await apply(EVERYTHING)
  const exported = JSON.parse((await run(['export', '--json'])).stdout) as typeof EVERYTHING
  const schema = JSON.parse(readResourceSchema())
  for (const kind of ['Client', 'TrustedIssuer', 'User', 'Webhook']) {
    const members = new Set(
      exported.filter((one) => one.kind === kind).flatMap((one) => Object.keys(one.spec)),
    )
    const known = Object.keys(schema.$defs[kind].properties.spec.properties)
    t.strictSame([...members].sort(), known.sort(), `${kind} has them all`)
  }
  for (const one of EVERYTHING) {
    const found = exported.find(
      ({ kind, metadata }) => kind === one.kind && metadata.name === one.metadata.name,
    )
    t.match(found?.spec, one.spec, one.metadata.name)
    t.strictSame(found?.metadata, one.metadata)
  }
})

test('another installation refuses secrets that are not filled in, and becomes the same', async (t) => {
  const one = await openDeclarativeScene(t)
  await one.apply(EVERYTHING)
  const exported = await one.run(['export'])
  const other = await openDeclarativeScene(t)
  const refused = await other.apply(exported.stdout)
  t.equal(refused.code, 1)
  t.match(refused.stdout, /Client service: \/secretFrom is required/)
  t.match(refused.stdout, /Webhook desk: \/secretFrom is required/)
  const resources = JSON.parse((await one.run(['export', '--json'])).stdout) as typeof EVERYTHING
  const filled = resources.map((item) => {
    const source = EVERYTHING.find(({ metadata }) => metadata.name === item.metadata.name)
    return { ...item, ...('secretFrom' in (source ?? {}) && { secretFrom: source?.secretFrom }) }
  })
  t.equal((await other.apply(filled)).code, 0)
  t.equal((await other.run(['export'])).stdout, exported.stdout)
})

test('kinds and labels choose, and nothing is an empty list', async (t) => {
  const { apply, run } = await openDeclarativeScene(t)
  t.equal((await run(['export', '--json'])).stdout, '[]\n')
  t.equal((await run(['export'])).stdout, '')
  const shop = { team: 'shop' }
  await apply([
    publicClient('web', {}, shop),
    publicClient('native'),
    resource('User', 'ada', { email: 'ada@example.com' }, { labels: shop }),
  ])
  const names = async (...args: string[]) => {
    const { stdout } = await run(['export', '--json', ...args])
    return (JSON.parse(stdout) as typeof EVERYTHING).map(({ metadata }) => metadata.name)
  }
  t.strictSame(await names('--kind', 'Client'), ['web', 'native'])
  t.strictSame(await names('--label', 'team=shop'), ['web', 'ada'])
  t.strictSame(await names('--kind', 'User', 'Webhook', '--label', 'team=shop'), ['ada'])
  t.strictSame(await names('--label', 'team=other'), [])
  t.equal((await run(['export', '--kind', 'Key'])).code, 2)
})
