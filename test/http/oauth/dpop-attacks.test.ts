// What is no proof (RFC 9449 §4.3, C98, C99, C102): one variant for each way to be wrong, each with the same
// answer outside and its own reason in the log.

import { createHmac, randomUUID } from 'node:crypto'
import { type Test, test } from 'tap'
import {
  encode,
  makeProver,
  type ProofParts,
  refusalsOf,
  TOKEN_URL,
} from '../../scenes/dpop-scene.ts'
import { ISSUER, startApp } from '../../support/app.ts'
import { exchange } from '../../support/hostile-wire.ts'

const PUBLIC = {
  error: 'invalid_dpop_proof',
  error_description: 'The DPoP proof is missing, not valid, or was used before.',
}
const now = () => Math.floor(Date.now() / 1000)

async function openScene(t: Test) {
  const app = await startApp(t)
  const client = await app.makeClient({ type: 'confidential', grantTypes: ['client_credentials'] })
  const form = {
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
  }
  const ask = async (proof: string) => await app.form('/token', form, { dpop: proof })
  return { app, client, form, ask }
}

function claimsOf(proof: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString())
}

async function listAttacks(): Promise<Record<string, readonly [reason: string, proof: string]>> {
  const [own, other] = [await makeProver(), await makeProver()]
  const [ed, rsa, pss] = [
    await makeProver('EdDSA'),
    await makeProver('RS256'),
    await makeProver('PS256'),
  ]
  const weak = await makeProver('RS256', 1024)
  const good = own.prove()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const changed = (reason: string, parts: ProofParts) => [reason, own.prove(parts)] as const
  const flipped = Buffer.from(signature, 'base64url')
  flipped[0] = (flipped[0] ?? 0) ^ 1
  const k = Buffer.from('a shared secret').toString('base64url')
  const macHead = encode({ typ: 'dpop+jwt', alg: 'HS256', jwk: { kty: 'oct', k } })
  const mac = createHmac('sha256', 'a shared secret').update(`${macHead}.${payload}`)
  const confused = `${encode({ typ: 'dpop+jwt', alg: 'HS256', jwk: own.jwk })}.${payload}`
  const der = createHmac('sha256', JSON.stringify(own.jwk)).update(confused).digest('base64url')
  const bare = encode({ typ: 'dpop+jwt', alg: 'none', jwk: own.jwk })
  return {
    'no JWT': ['dpop_malformed', 'this-is-no-proof'],
    'an empty header': ['dpop_malformed', ''],
    'two parts': ['dpop_malformed', `${header}.${payload}`],
    'four parts': ['dpop_malformed', `${good}.${signature}`],
    'no signature': ['dpop_signature_wrong', `${header}.${payload}.`],
    'padded base64': ['dpop_malformed', `${header}.${payload}.${signature}=`],
    'base64 in place of base64url': ['dpop_malformed', `${header}.${payload}.+/+/`],
    'a header that is a list': ['dpop_type_wrong', own.signText(`${encode([])}.${payload}`)],
    'a header that is no JSON': ['dpop_type_wrong', own.signText(`e30x.${payload}`)],
    'claims that are a text': ['dpop_malformed', own.signText(`${header}.${encode('x')}`)],
    'claims that are null': ['dpop_malformed', own.signText(`${header}.${encode(null)}`)],
    'two proofs in one header': ['dpop_malformed', `${good}, ${own.prove()}`],
    'a proof of 5,000 characters': changed('dpop_too_long', { claims: { x: 'a'.repeat(4000) } }),
    'typ JWT': changed('dpop_type_wrong', { header: { typ: 'JWT' } }),
    'typ of an access token': changed('dpop_type_wrong', { header: { typ: 'at+jwt' } }),
    'typ in capitals': changed('dpop_type_wrong', { header: { typ: 'DPOP+JWT' } }),
    'no typ': changed('dpop_type_wrong', { header: { typ: undefined } }),
    crit: changed('dpop_header_critical', { header: { crit: ['exp'] } }),
    'crit, empty': changed('dpop_header_critical', { header: { crit: [] } }),
    'alg none': ['dpop_alg_not_allowed', `${bare}.${payload}.AA`],
    'alg none with the signature': ['dpop_alg_not_allowed', `${bare}.${payload}.${signature}`],
    'a shared secret': ['dpop_alg_not_allowed', `${macHead}.${payload}.${mac.digest('base64url')}`],
    'HMAC under the public key': ['dpop_alg_not_allowed', `${confused}.${der}`],
    ES384: changed('dpop_alg_not_allowed', { header: { alg: 'ES384' } }),
    'alg as a list': changed('dpop_alg_not_allowed', { header: { alg: ['ES256'] } }),
    'alg that is a name of every object': changed('dpop_alg_not_allowed', {
      header: { alg: 'constructor' },
    }),
    'no key': changed('dpop_key_malformed', { header: { jwk: undefined } }),
    'a key by kid alone': changed('dpop_key_malformed', { header: { jwk: undefined, kid: 'x' } }),
    'a key as a text': changed('dpop_key_malformed', { header: { jwk: JSON.stringify(own.jwk) } }),
    'a list of keys': changed('dpop_key_malformed', { header: { jwk: [own.jwk] } }),
    'a key without y': changed('dpop_key_malformed', {
      header: { jwk: { ...own.jwk, y: undefined } },
    }),
    'a point that is not on the curve': changed('dpop_key_malformed', {
      header: { jwk: { ...own.jwk, y: other.jwk.y } },
    }),
    'a coordinate with padding': changed('dpop_key_malformed', {
      header: { jwk: { ...own.jwk, x: `${own.jwk.x}=` } },
    }),
    'the private key': changed('dpop_key_private', { header: { jwk: own.privateJwk } }),
    'a public key beside a shared secret': changed('dpop_key_private', {
      header: { jwk: { ...own.jwk, k } },
    }),
    'an Ed25519 key for ES256': changed('dpop_key_unfit', { header: { jwk: ed.jwk } }),
    'an RSA key for ES256': changed('dpop_key_unfit', { header: { jwk: rsa.jwk } }),
    'an EC key for RS256': changed('dpop_key_unfit', { header: { alg: 'RS256' } }),
    'P-256 called P-384': changed('dpop_key_unfit', {
      header: { jwk: { ...own.jwk, crv: 'P-384' } },
    }),
    'an RSA key of 1,024 bits': ['dpop_key_unfit', weak.prove()],
    'an RSA key with a huge exponent': [
      'dpop_key_unfit',
      rsa.prove({ header: { jwk: { ...rsa.jwk, e: 'AQAAAAAAAAAB' } } }),
    ],
    "another's key": changed('dpop_signature_wrong', { header: { jwk: other.jwk } }),
    'PS256 called RS256': ['dpop_signature_wrong', pss.prove({ header: { alg: 'RS256' } })],
    'a flipped bit': [
      'dpop_signature_wrong',
      `${header}.${payload}.${flipped.toString('base64url')}`,
    ],
    'half a signature': ['dpop_signature_wrong', `${header}.${payload}.${signature.slice(0, 40)}`],
    'zeros for a signature': [
      'dpop_signature_wrong',
      `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    ],
    "another proof's claims": [
      'dpop_signature_wrong',
      `${header}.${other.prove().split('.')[1]}.${signature}`,
    ],
    'no jti': changed('dpop_claims_malformed', { claims: { jti: undefined } }),
    'an empty jti': changed('dpop_claims_malformed', { claims: { jti: '' } }),
    'jti as a number': changed('dpop_claims_malformed', { claims: { jti: 1 } }),
    'a jti of 257 characters': changed('dpop_id_too_long', { claims: { jti: 'a'.repeat(257) } }),
    'no htm': changed('dpop_claims_malformed', { claims: { htm: undefined } }),
    'no htu': changed('dpop_claims_malformed', { claims: { htu: undefined } }),
    'htu as a list': changed('dpop_claims_malformed', { claims: { htu: [TOKEN_URL] } }),
    'no iat': changed('dpop_claims_malformed', { claims: { iat: undefined } }),
    'iat as a text': changed('dpop_claims_malformed', { claims: { iat: String(now()) } }),
    GET: changed('dpop_method_wrong', { method: 'GET' }),
    post: changed('dpop_method_wrong', { method: 'post' }),
    'another host': changed('dpop_url_wrong', { url: 'https://other.example.test/token' }),
    'another path': changed('dpop_url_wrong', { url: `${TOKEN_URL}/` }),
    'another endpoint': changed('dpop_url_wrong', { url: `${ISSUER}/revoke` }),
    'another scheme': changed('dpop_url_wrong', { url: TOKEN_URL.replace('https', 'http') }),
    'another port': changed('dpop_url_wrong', { url: TOKEN_URL.replace('.test', '.test:8443') }),
    'a user in the URL': changed('dpop_url_wrong', { url: TOKEN_URL.replace('//', '//a@') }),
    'a host that begins like ours': changed('dpop_url_wrong', {
      url: TOKEN_URL.replace('.test', '.test.evil.example'),
    }),
    'backslashes for slashes': changed('dpop_url_wrong', { url: TOKEN_URL.replaceAll('/', '\\') }),
    'a URL without its slashes': changed('dpop_url_wrong', { url: TOKEN_URL.replace('//', '') }),
    'a line break in the URL': changed('dpop_url_wrong', {
      url: TOKEN_URL.replace('ken', 'k\nen'),
    }),
    'no URL': changed('dpop_url_wrong', { url: '/token' }),
    'a proof of 61 seconds ago': changed('dpop_too_old', { claims: { iat: now() - 62 } }),
    'a proof of 1970': changed('dpop_too_old', { claims: { iat: -1 } }),
    'a proof of the next minute': changed('dpop_too_new', { claims: { iat: now() + 60 } }),
    'a proof of milliseconds': changed('dpop_too_new', { claims: { iat: Date.now() } }),
  }
}

test('what is wrong with a proof is logged, and said to nobody (C98, C99, C102)', async (t) => {
  const { app, ask } = await openScene(t)
  const attacks = Object.entries(await listAttacks())
  t.ok(attacks.length >= 35, `${attacks.length} variants`)
  for (const [name, [reason, proof]] of attacks) {
    // A header cannot be empty with fetch; the wire tests below have it.
    const before = refusalsOf(app).length
    const answer = await ask(proof)
    t.equal(answer.status, 400, name)
    t.strictSame(await answer.json(), PUBLIC, name)
    t.equal(answer.headers.get('cache-control'), 'no-store', name)
    t.strictSame(refusalsOf(app).slice(before), [reason], name)
  }
})

test('two DPoP headers are refused, whatever they hold', async (t) => {
  const { app, form } = await openScene(t)
  const prover = await makeProver()
  const body = new URLSearchParams(form).toString()
  for (const names of [
    ['DPoP', 'DPoP'],
    ['DPoP', 'dpop'],
  ]) {
    const proof = prover.prove()
    const lines = [
      'POST /token HTTP/1.1',
      'Host: x',
      ...names.map((name) => `${name}: ${proof}`),
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ]
    const [answer] = await exchange(app.url, `${lines.join('\r\n')}\r\n\r\n${body}`)
    t.equal(answer?.status, 400)
  }
  t.strictSame(refusalsOf(app), ['dpop_repeated', 'dpop_repeated'])
})

test('spellings of the one URL are the same (RFC 9449 §4.3, C99)', async (t) => {
  const { app, ask } = await openScene(t)
  const prover = await makeProver()
  for (const url of [
    TOKEN_URL,
    `${TOKEN_URL}?a=b#c`,
    TOKEN_URL.replace('https://auth.example.test', 'HTTPS://AUTH.example.TEST:443'),
    `${ISSUER}/x/../token`,
    `${ISSUER}/%74oken`,
    `${ISSUER}/./token?`,
  ]) {
    const answer = await ask(prover.prove({ url }))
    t.equal(answer.status, 200, `${url} ${refusalsOf(app).at(-1)}`)
  }
})

test('a bad proof comes before a bad client, and counts as no failed login', async (t) => {
  const { app, form } = await openScene(t)
  const prover = await makeProver()
  const dpop = prover.prove({ method: 'GET' })
  const wrong = { ...form, client_secret: 'wrong' }
  t.match(await (await app.form('/token', wrong, { dpop })).json(), PUBLIC)
  t.strictSame(refusalsOf(app), ['dpop_method_wrong'])
  const good = prover.prove()
  t.equal((await app.form('/token', wrong, { dpop: good })).status, 401)
  t.equal((await app.form('/token', form, { dpop: good })).status, 200, 'which used no proof up')
  t.equal((await app.form('/token', { ...form, grant_type: '' }, { dpop })).status, 400)
  t.equal(refusalsOf(app).at(-1), 'parameter_missing', 'the form comes first')
})

test('a proof is used once, whatever comes of the request (C100)', async (t) => {
  const { app, ask } = await openScene(t)
  const [one, two] = [await makeProver(), await makeProver()]
  const proof = one.prove()
  t.equal((await ask(proof)).status, 200)
  const again = await ask(proof)
  t.equal(again.status, 400)
  t.strictSame(await again.json(), PUBLIC)
  t.strictSame(refusalsOf(app), ['dpop_replayed'])
  const { jti } = claimsOf(proof)
  t.equal((await ask(one.prove({ claims: { jti } }))).status, 400, 'another proof of one id')
  t.equal((await ask(two.prove({ claims: { jti } }))).status, 200, "another key's id is another")
  const many = one.prove({ claims: { jti: randomUUID() } })
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(many)))
  t.equal(answers.filter(({ status }) => status === 200).length, 1, 'of eight at once')
})
