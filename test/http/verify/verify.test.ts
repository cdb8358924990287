// /verify: whose a request is, and which requests have nobody behind them (docs/semantics.md §10,
// RFC 6750).

import { METHODS } from 'node:http'
import { decodeJwt } from 'jose'
import { test } from 'tap'
import { API, ask, identityOf, openVerifyScene } from '../../scenes/verify-scene.ts'
import { ADMIN, ISSUER, logIn } from '../../support/app.ts'
import { isProblem } from '../../support/hostile-wire.ts'

test('a good token passes, and all seven headers say whose it is', async (t) => {
  const { app, client, user, token, verify } = await openVerifyScene(t)
  for (const path of ['/verify', '/verify/', '/verify/orders/7']) {
    const answer = await verify(path)
    t.equal(answer.status, 200, path)
    t.equal(await answer.text(), '')
    t.equal(answer.headers.get('cache-control'), 'no-store')
    t.strictSame(identityOf(answer), [
      user.id,
      'user',
      client.id,
      'read write',
      'support lineage:admin',
      String(decodeJwt(token).sid),
      '-',
    ])
  }
  const own = await verify('/verify', {
    headers: { authorization: `Bearer ${await app.adminToken()}` },
  })
  t.strictSame(identityOf(own), [ADMIN.id, 'client', ADMIN.id, 'lineage:admin', '-', '-', '-'])
})

test('where there is nothing to say, a dash says so', async (t) => {
  const { app, verify } = await openVerifyScene(t)
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const { access_token: token } = await logIn(app, client, user)
  const answer = await verify('/verify', { headers: { authorization: `Bearer ${token}` } })
  const sid = String(decodeJwt(token).sid)
  t.strictSame(identityOf(answer), [user.id, 'user', client.id, '-', '-', sid, '-'])
})

test('every character that scopes and roles may have fits into a header', async (t) => {
  const { app, verify } = await openVerifyScene(t)
  const printable = Array.from({ length: 0x7f - 0x21 }, (_, i) => String.fromCharCode(0x21 + i))
  const scopes = printable.filter((character) => !'"\\'.includes(character))
  const client = await app.makeClient({ scopes, defaultScopes: scopes })
  const roles = scopes.filter((character) => /[A-Za-z0-9:._-]/.test(character)).slice(0, 32)
  const user = await app.makeUser({ roles })
  const { access_token: token } = await logIn(app, client, user)
  const headers = { authorization: `Bearer ${token}` }
  const answer = await verify(`/verify?${new URLSearchParams({ scope: scopes.join(' ') })}`, {
    headers,
  })
  t.equal(answer.headers.get('x-auth-scope'), scopes.join(' '))
  t.equal(answer.headers.get('x-auth-roles'), roles.join(' '))
  const demanded = `${scopes.join('')} more`
  const refused = await verify(`/verify?${new URLSearchParams({ scope: demanded })}`, { headers })
  const challenge = `Bearer error="insufficient_scope", scope="${demanded}"`
  t.equal(refused.headers.get('www-authenticate'), challenge)
})

test('what the caller says of itself has no say', async (t) => {
  const { user, verify, reasons } = await openVerifyScene(t)
  const forged = {
    'x-auth-subject': 'root',
    'x-auth-subject-type': 'client',
    'x-auth-roles': 'lineage:admin root',
    'x-auth-scope': 'everything',
    'x-auth-client': 'other',
    'x-auth-session': 'none',
    'x-auth-actor': 'root',
  }
  const answer = await verify('/verify', { headers: forged })
  t.equal(answer.headers.get('x-auth-subject'), user.id)
  t.equal(answer.headers.get('x-auth-scope'), 'read write')
  const refused = await verify('/verify', { headers: { ...forged, authorization: '' } })
  t.equal(refused.status, 401)
  t.strictSame(identityOf(refused), Array(7).fill(null), 'a refusal names nobody')
  t.strictSame(reasons(), ['token_absent'])
})

test('every method is verified; HEAD has the headers of GET and no body', async (t) => {
  const scene = await openVerifyScene(t)
  const nobody = { ...scene, token: 'x' }
  for (const method of METHODS.filter((name) => name !== 'CONNECT' && name !== 'TRACE')) {
    for (const path of ['/verify', '/verify/x']) {
      const good = await ask(scene, `${method} ${path}`)
      t.equal(good?.status, 200, `${method} ${path}`)
      t.equal(good?.headers['x-auth-subject'], scene.user.id, `${method} ${path}`)
      const bad = await ask(nobody, `${method} ${path}`)
      t.equal(bad?.status, 401, `${method} ${path}`)
      if (method === 'HEAD') t.equal(bad?.body, '')
      else isProblem(t, bad, `${method} ${path}`)
    }
  }
  for (const path of ['/verify', '/verify/x', '/verify/%zz']) {
    const traced = await ask(scene, `TRACE ${path}`)
    t.equal(traced?.status, 405)
    t.match(traced?.headers.allow, /^ACL, .*GET.*HEAD/)
    t.notMatch(traced?.headers.allow, /TRACE|CONNECT/)
  }
  t.equal(await ask(scene, 'CONNECT /verify'), undefined, 'CONNECT is not served at all')
})

test('OPTIONS is no preflight here, and no answer has a CORS header', async (t) => {
  const { verify } = await openVerifyScene(t, { allowedOrigins: ['https://app.example.test'] })
  const preflight = { origin: 'https://app.example.test', 'access-control-request-method': 'POST' }
  for (const authorization of [undefined, '']) {
    for (const method of ['OPTIONS', 'GET']) {
      const headers = { ...preflight, ...(authorization === undefined ? {} : { authorization }) }
      const answer = await verify('/verify/x', { method, headers })
      t.equal(answer.status, authorization === '' ? 401 : 200)
      const names = [...answer.headers.keys()]
      t.strictSame(
        names.filter((name) => name.startsWith('access-control') || name === 'vary'),
        [],
      )
    }
  }
})

test('no token is a bare challenge, a bad one is invalid_token (C107)', async (t) => {
  const { token, verify, reasons } = await openVerifyScene(t)
  for (const [authorization, challenge] of [
    ['', 'Bearer'],
    ['Basic Zm9vOmJhcg==', 'Bearer'],
    ['Bearerx', 'Bearer'],
    ['Bearer', 'Bearer error="invalid_token"'],
    ['Bearer x', 'Bearer error="invalid_token"'],
    [`Bearer ${token} ${token}`, 'Bearer error="invalid_token"'],
    [`Bearer ${token},`, 'Bearer error="invalid_token"'],
    [`Bearer ${token.slice(0, -4)}AAAA`, 'Bearer error="invalid_token"'],
    [`Bearer ${'x'.repeat(12_000)}`, 'Bearer error="invalid_token"'],
  ] as const) {
    const answer = await verify('/verify', { headers: { authorization } })
    t.equal(answer.status, 401, authorization)
    t.equal(answer.headers.get('www-authenticate'), challenge, authorization)
    t.equal(answer.headers.get('cache-control'), 'no-store')
    t.match(answer.headers.get('content-type'), /^application\/problem\+json/)
    t.equal(((await answer.json()) as { code: string }).code, 'invalid_token')
  }
  t.strictSame(new Set(reasons()), new Set(['token_absent', 'token_malformed', 'token_inactive']))
  t.equal((await verify('/verify', { headers: { authorization: `bEaReR  ${token}` } })).status, 200)
})

test('a token in the query is never read (C107)', async (t) => {
  const { token, verify } = await openVerifyScene(t)
  for (const path of ['/verify', '/verify/x']) {
    for (const name of ['access_token', 'token', 'authorization']) {
      const answer = await verify(`${path}?${name}=${token}`, { headers: { authorization: '' } })
      t.equal(answer.status, 401)
      t.equal(answer.headers.get('www-authenticate'), 'Bearer')
    }
  }
})

test('two Authorization headers are none, whichever is good (C107)', async (t) => {
  const scene = await openVerifyScene(t)
  for (const second of [`Bearer ${scene.token}`, 'Bearer x', 'Basic eDp5', '']) {
    const answer = await ask(scene, 'GET /verify', [`authorization: ${second}`])
    t.equal(answer?.status, 401, second)
    t.equal(answer?.headers['www-authenticate'], 'Bearer error="invalid_token"')
  }
})

test('the pattern is logged, never the path of somebody else', async (t) => {
  const { app, token, verify } = await openVerifyScene(t)
  await verify('/verify/private/path?secret=1')
  await verify('/verify/private/path', { headers: { authorization: 'Bearer x' } })
  await verify('/verify?scope=private')
  const lines = app.log.filter(({ route }) => String(route).startsWith('/verify'))
  t.strictSame(
    lines.map(({ event, route, status }) => [event, route, status]),
    [
      ['request.completed', '/verify/*', 200],
      ['request.refused', '/verify/*', 401],
      ['request.completed', '/verify/*', 401],
      ['request.refused', '/verify', 403],
      ['request.completed', '/verify', 403],
    ],
  )
  t.notMatch(JSON.stringify(app.log), /private/)
  t.notMatch(JSON.stringify(app.log), token)
})

test('below an issuer with a path it lies there, and is not elsewhere', async (t) => {
  const scene = await openVerifyScene(t, {}, { config: { issuer: `${ISSUER}/tenant/one` } })
  const answer = await scene.verify(`/verify?audience=${API}`)
  t.equal(answer.status, 200)
  t.equal((await ask(scene, 'GET /tenant/one/verify/%zz'))?.status, 200)
  t.equal((await ask(scene, 'GET /verify'))?.status, 404)
  t.equal((await ask(scene, 'GET /verify/x'))?.status, 404)
})
