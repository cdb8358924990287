// What somebody would try who is not the workload: each is refused with the one answer that every refused
// client gets, and logged with its own reason.

import { createHmac, createPublicKey } from 'node:crypto'
import { SignJWT } from 'jose'
import { type Test, test } from 'tap'
import {
  expectRefused,
  expectToken,
  newKey,
  type Publisher,
  startPublisher,
} from '../../scenes/assertion-scene.ts'
import {
  makeWorkload,
  type Platform,
  playPlatform,
  presentToken,
  trustPlatform,
} from '../../scenes/platform-scene.ts'
import { ISSUER, startApp, type TestApp } from '../../support/app.ts'

const SUBJECT = 'repo:acme/web:ref:refs/heads/main'

interface Scene {
  readonly app: TestApp
  readonly github: Platform
  readonly kubernetes: Platform
  readonly spiffe: Platform
  readonly client: string
  readonly pod: string
  readonly svid: string
}

async function openScene(t: Test): Promise<Scene> {
  const app = await startApp(t, { config: { throttle: 'off' } })
  const github = await trustPlatform(app, 'github', { algs: ['RS256'] })
  const kubernetes = await trustPlatform(app, 'kubernetes')
  const spiffe = await trustPlatform(app, 'spiffe')
  const client = await makeWorkload(app, github, { claims: { repository_id: '74' } })
  const pod = await makeWorkload(app, kubernetes)
  const svid = await makeWorkload(app, spiffe)
  return { app, github, kubernetes, spiffe, client, pod, svid }
}

const seconds = () => Math.floor(Date.now() / 1000)
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const payloadOf = (token: string) => token.split('.')[1] ?? ''

/** The same claims under another header, with a signature of the attacker's making. */
function forge(token: string, header: object, sign: (signed: string) => string): string {
  const signed = `${encode(header)}.${payloadOf(token)}`
  return `${signed}.${sign(signed)}`
}

type Make = (scene: Scene) => Promise<string>
type Row = readonly [what: string, reason: string, make: Make]

const claims =
  (more: object): Make =>
  ({ github }) =>
    github.token({ claims: more })

/** Of GitHub, for the client that lists one branch of one repository by its number. */
const AT_GITHUB: readonly Row[] = [
  [
    'alg none',
    'alg_refused',
    async ({ github }) =>
      forge(await github.token(), { alg: 'none' }, () => '').replace(/\.$/, '.AA'),
  ],
  [
    'alg none in other letters',
    'alg_refused',
    async ({ github }) => forge(await github.token(), { alg: 'NoNe' }, () => 'AA'),
  ],
  [
    'no signature',
    'alg_refused',
    async ({ github }) => forge(await github.token(), { alg: 'none' }, () => ''),
  ],
  [
    'HMAC with the public key',
    'alg_refused',
    async ({ github }) => {
      const key = createPublicKey({ key: github.key.publicJwk as never, format: 'jwk' })
      const pem = key.export({ type: 'spki', format: 'pem' })
      const header = { alg: 'HS256', kid: github.key.kid }
      return forge(await github.token(), header, (signed) =>
        createHmac('sha256', pem).update(signed).digest('base64url'),
      )
    },
  ],
  [
    'RS256 named PS256',
    'alg_refused',
    ({ github }) => github.token({ key: { ...github.key, alg: 'PS256' } }),
  ],
  [
    'another algorithm than is listed',
    'alg_refused',
    ({ github }) => github.token({ key: newKey(github.key.kid, 'ES256') }),
  ],
  [
    'an own key under its kid',
    'signature_wrong',
    ({ github }) => github.token({ key: newKey(github.key.kid, 'RS256') }),
  ],
  [
    'an own key in the header',
    'signature_wrong',
    ({ github }) => {
      const key = newKey(github.key.kid, 'RS256')
      return github.token({ key, header: { jwk: key.publicJwk } })
    },
  ],
  [
    'a key at an own address',
    'key_unknown',
    ({ github }) =>
      github.token({ key: newKey('mine', 'RS256'), header: { jku: 'https://evil.example/jwks' } }),
  ],
  [
    'a critical extension',
    'header_refused',
    async ({ github }) => {
      const parts = (await github.token()).split('.')
      return [encode({ alg: 'RS256', crit: ['x'], x: 1 }), parts[1], parts[2]].join('.')
    },
  ],
  [
    'an unencoded payload',
    'header_refused',
    async ({ github }) => {
      const parts = (await github.token()).split('.')
      return [encode({ alg: 'RS256', b64: false }), parts[1], parts[2]].join('.')
    },
  ],
  [
    'a token within a token',
    'header_refused',
    ({ github }) => github.token({ header: { cty: 'JWT' } }),
  ],
  ['an access token', 'type_refused', ({ github }) => github.token({ header: { typ: 'at+jwt' } })],
  [
    'a logout token',
    'type_refused',
    ({ github }) => github.token({ header: { typ: 'logout+jwt' } }),
  ],
  [
    'changed claims',
    'signature_wrong',
    async ({ github }) => {
      const [header, , signature] = (await github.token()).split('.')
      const other = payloadOf(await github.token({ claims: { run_id: '2' } }))
      return [header, other, signature].join('.')
    },
  ],
  [
    'a cut signature',
    'signature_wrong',
    async ({ github }) => (await github.token()).replace(/[^.]{6}$/, ''),
  ],
  ['padding', 'malformed', async ({ github }) => `${await github.token()}=`],
  ['a fourth part', 'malformed', async ({ github }) => `${await github.token()}.AA`],
  ['an oversized token', 'malformed', claims({ more: 'x'.repeat(8_192) })],
  ['deep nesting', 'malformed', claims({ more: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) })],
  [
    'a member twice',
    'malformed',
    async ({ github }) => {
      const text = Buffer.from(payloadOf(await github.token()), 'base64url').toString()
      const twice = text.replace('{', '{"sub":"repo:evil/x",')
      return `${encode({ alg: 'RS256' })}.${Buffer.from(twice).toString('base64url')}.AA`
    },
  ],
  ['sub as an array', 'subject_wrong', claims({ sub: [SUBJECT] })],
  ['sub as an object', 'subject_wrong', claims({ sub: { [SUBJECT]: true } })],
  ['no sub', 'subject_wrong', claims({ sub: undefined })],
  ['an empty sub', 'subject_wrong', claims({ sub: '' })],
  ['a longer subject', 'subject_differs', claims({ sub: `${SUBJECT}-2` })],
  ['a prefix of the subject', 'subject_differs', claims({ sub: 'repo:acme/web' })],
  ['the subject behind another', 'subject_differs', claims({ sub: `repo:evil/x:${SUBJECT}` })],
  ['a star as the subject', 'subject_differs', claims({ sub: 'repo:acme/web:ref:refs/heads/*' })],
  ['another case', 'subject_differs', claims({ sub: SUBJECT.replace('acme', 'ACME') })],
  ['a Cyrillic letter', 'subject_differs', claims({ sub: SUBJECT.replace('acme', 'аcme') })],
  ['a full-width letter', 'subject_differs', claims({ sub: SUBJECT.replace('acme', 'ａcme') })],
  [
    'an invisible letter',
    'subject_differs',
    claims({ sub: SUBJECT.replace('acme', 'ac\u200bme') }),
  ],
  ['a NUL behind it', 'subject_differs', claims({ sub: `${SUBJECT}\u0000` })],
  ['another repository of that name', 'claims_differ', claims({ repository_id: '75' })],
  ['the claim as a number', 'claims_differ', claims({ repository_id: 74 })],
  ['the claim in a list', 'claims_differ', claims({ repository_id: ['74'] })],
  ['without the claim', 'claims_differ', claims({ repository_id: undefined })],
  ['another audience', 'audience_wrong', claims({ aud: 'https://other.example' })],
  ['an extra audience', 'audience_wrong', claims({ aud: [ISSUER, 'https://other.example'] })],
  ['the audience with a slash', 'audience_wrong', claims({ aud: `${ISSUER}/` })],
  ['an audience that begins like it', 'audience_wrong', claims({ aud: `${ISSUER}.evil.example` })],
  ['no audience', 'audience_wrong', claims({ aud: undefined })],
  ['an empty list of audiences', 'audience_wrong', claims({ aud: [] })],
  ['expired by one second', 'expired', (scene) => claims({ exp: seconds() - 1 })(scene)],
  ['no expiry', 'expired', claims({ exp: undefined })],
  ['the expiry as a text', 'expired', claims({ exp: '99999999999' })],
  ['a life of a year', 'life_too_long', (scene) => claims({ exp: seconds() + 31_536_000 })(scene)],
  ['issued in the future', 'not_yet_valid', (scene) => claims({ iat: seconds() + 120 })(scene)],
  ['not before in the future', 'not_yet_valid', (scene) => claims({ nbf: seconds() + 120 })(scene)],
  ['issued long ago', 'too_old', (scene) => claims({ iat: seconds() - 90_000 })(scene)],
  [
    'the issuer with a slash',
    'issuer_unknown',
    claims({ iss: 'https://token.actions.githubusercontent.com/' }),
  ],
  [
    'the issuer in capitals',
    'issuer_unknown',
    claims({ iss: 'https://TOKEN.actions.githubusercontent.com' }),
  ],
  [
    'a look-alike of the issuer',
    'issuer_unknown',
    claims({ iss: 'https://tokеn.actions.githubusercontent.com' }),
  ],
  [
    'the issuer over http',
    'issuer_unknown',
    claims({ iss: 'http://token.actions.githubusercontent.com' }),
  ],
  ['no issuer', 'issuer_unknown', claims({ iss: undefined })],
  [
    'the issuer in a list',
    'issuer_unknown',
    claims({ iss: ['https://token.actions.githubusercontent.com'] }),
  ],
  [
    'a token of another trusted issuer',
    'issuer_not_listed',
    ({ kubernetes }) => kubernetes.token(),
  ],
  [
    'signed by another trusted issuer',
    'signature_wrong',
    ({ github, kubernetes }) => github.token({ key: { ...kubernetes.key, kid: github.key.kid } }),
  ],
  [
    'the kid of another issuer',
    'key_unknown',
    ({ github, kubernetes }) => github.token({ key: kubernetes.key }),
  ],
  ['an id that is no text', 'jti_missing', claims({ jti: 7 })],
]

const AT_THE_CLUSTER: readonly Row[] = [
  [
    'a token that is bound to no pod',
    'not_bound',
    ({ kubernetes }) => kubernetes.token({ claims: { 'kubernetes.io': { namespace: 'jobs' } } }),
  ],
  [
    'the pod as a text of its own',
    'not_bound',
    ({ kubernetes }) =>
      kubernetes.token({ claims: { 'kubernetes.io': undefined, 'kubernetes.io.pod.uid': 'x' } }),
  ],
  [
    'another namespace',
    'subject_differs',
    ({ kubernetes }) => kubernetes.token({ claims: { sub: 'system:serviceaccount:evil:nightly' } }),
  ],
  [
    'a legacy token without expiry',
    'audience_wrong',
    ({ kubernetes }) => kubernetes.token({ claims: { exp: undefined, aud: undefined } }),
  ],
  [
    'the token of the API server',
    'audience_wrong',
    ({ kubernetes }) =>
      kubernetes.token({ claims: { aud: ['https://kubernetes.default.svc.cluster.local'] } }),
  ],
]

const IN_THE_MESH: readonly Row[] = [
  [
    'another trust domain',
    'issuer_unknown',
    ({ spiffe }) => spiffe.token({ claims: { sub: 'spiffe://evil.org/ns/jobs/sa/nightly' } }),
  ],
  [
    'a trust domain that begins like it',
    'issuer_unknown',
    ({ spiffe }) =>
      spiffe.token({ claims: { sub: 'spiffe://example.org.evil/ns/jobs/sa/nightly' } }),
  ],
  [
    'the trust domain itself',
    'subject_wrong',
    ({ spiffe }) => spiffe.token({ claims: { sub: 'spiffe://example.org' } }),
  ],
  [
    'dots in the path',
    'subject_differs',
    ({ spiffe }) =>
      spiffe.token({ claims: { sub: 'spiffe://example.org/ns/jobs/../jobs/sa/nightly' } }),
  ],
  [
    'an escape in the path',
    'subject_wrong',
    ({ spiffe }) => spiffe.token({ claims: { sub: 'spiffe://example.org/ns/jobs/sa/nightl%79' } }),
  ],
  [
    'a subject that is no SPIFFE id',
    'subject_wrong',
    ({ spiffe }) => spiffe.token({ claims: { iss: 'spiffe://example.org', sub: 'nightly' } }),
  ],
  [
    'a proof of DPoP',
    'type_refused',
    ({ spiffe }) => spiffe.token({ header: { typ: 'dpop+jwt' } }),
  ],
]

test('each of these is refused with its own reason, and what is right goes on working', async (t) => {
  const scene = await openScene(t)
  const { app } = scene
  const all = [
    [scene.client, AT_GITHUB],
    [scene.pod, AT_THE_CLUSTER],
    [scene.svid, IN_THE_MESH],
  ] as const
  for (const [client, rows] of all) {
    for (const [what, reason, make] of rows) {
      const answer = await presentToken(app, client, await make(scene))
      await expectRefused(t, app, answer, `client_assertion_${reason}`, what)
    }
  }
  t.ok(AT_GITHUB.length + AT_THE_CLUSTER.length + IN_THE_MESH.length >= 40)
  await expectToken(t, await presentToken(app, scene.client, await scene.github.token()), 'GitHub')
  await expectToken(t, await presentToken(app, scene.pod, await scene.kubernetes.token()), 'a pod')
  await expectToken(t, await presentToken(app, scene.svid, await scene.spiffe.token()), 'a mesh')
})

test('a token of one client is nothing to another, and needs the name of its own', async (t) => {
  const { app, github } = await openScene(t)
  const nobody = await app.makeClient({
    ...{ type: 'confidential', grantTypes: ['client_credentials'], authMethods: ['federated_jwt'] },
  })
  const empty = await presentToken(app, nobody.id, await github.token())
  await expectRefused(t, app, empty, 'client_assertion_issuer_not_listed')
  const unnamed = await presentToken(app, '', await github.token())
  await expectRefused(t, app, unnamed, 'client_absent')
})

test('two issuers with one kid are told apart by their names', async (t) => {
  const app = await startApp(t)
  const one = playPlatform('github', 'one')
  const shared = { ...playPlatform('gitlab', 'two'), key: newKey(one.key.kid, 'RS256') }
  await trustPlatform(app, 'github', {}, one)
  await trustPlatform(app, 'gitlab', { jwks: { keys: [shared.key.publicJwk] } }, { ...shared })
  const client = await makeWorkload(app, one)
  const forged = await one.token({ key: shared.key })
  const answer = await presentToken(app, client, forged)
  await expectRefused(t, app, answer, 'client_assertion_signature_wrong')
  await expectToken(t, await presentToken(app, client, await one.token()), 'its own')
})

test('an issuer whose keys grow, hang, redirect or go stale lets nobody in', async (t) => {
  const faults: readonly (readonly [
    what: string,
    answer: Parameters<Publisher['answerWith']>[0],
  ])[] = [
    ['grows', (response) => response.end(`{"keys":["${'x'.repeat(300_000)}"]}`)],
    [
      'redirects to a private address',
      (response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    ],
    ['is no JSON', (response) => response.end('<html>')],
    ['hangs', () => {}],
  ]
  for (const [what, fault] of faults) {
    const app = await startApp(t)
    const publisher = await startPublisher(t)
    publisher.answerWith(fault)
    const fetched = { jwksUri: publisher.uri, allowPrivateNetwork: true }
    const platform = await trustPlatform(app, 'oidc', fetched)
    const client = await makeWorkload(app, platform)
    const answer = await presentToken(app, client, await platform.token())
    await expectRefused(t, app, answer, 'client_assertion_keys_unavailable', what)
  }
  const app = await startApp(t)
  const publisher = await startPublisher(t)
  const platform = playPlatform('oidc')
  publisher.publish(newKey('an older one'))
  await trustPlatform(app, 'oidc', { jwksUri: publisher.uri, allowPrivateNetwork: true }, platform)
  const client = await makeWorkload(app, platform)
  const stale = await presentToken(app, client, await platform.token())
  await expectRefused(t, app, stale, 'client_assertion_key_unknown', 'keys of before')
  const privately = await app.admin('POST', '/admin/trusted-issuers', {
    ...{ id: 'inside', issuer: 'https://inside.example.test', kind: 'oidc' },
    jwksUri: 'https://169.254.169.254/jwks',
  })
  t.equal(privately.status, 422, 'a private address is not fetched from')
  await privately.body?.cancel()
})

test('a token that no key has signed at all is refused as such', async (t) => {
  const { app, client, github } = await openScene(t)
  const claims = { iss: 'https://token.actions.githubusercontent.com', sub: SUBJECT, aud: ISSUER }
  const own = newKey(github.key.kid, 'RS256')
  const unsigned = await new SignJWT({ ...claims, exp: seconds() + 60 })
    .setProtectedHeader({ alg: 'RS256' })
    .sign(own.privateKey)
  const answer = await presentToken(app, client, unsigned)
  await expectRefused(t, app, answer, 'client_assertion_signature_wrong')
})
