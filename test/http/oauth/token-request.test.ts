// What /token refuses before any grant runs: each a clean RFC 6749 §5.2 answer, nothing reflected.

import { type Test, test } from 'tap'
import { GRANT_TYPES } from '../../../src/grants/grants.ts'
import { startApp, type TestApp } from '../../support/app.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

function post(app: TestApp, body: string | Buffer, headers: Record<string, string> = FORM) {
  return app.fetch('/token', { method: 'POST', body, headers })
}

async function refused(t: Test, answer: Response, status: number, error: string, why: string) {
  const text = await answer.text()
  t.equal(answer.status, status, `${why}: status`)
  t.equal(JSON.parse(text).error, error, `${why}: error`)
  t.strictSame(Object.keys(JSON.parse(text)), ['error', 'error_description'], `${why}: members`)
  // RFC 6749 §5.2: no quote, no backslash, ASCII (C19).
  t.match(JSON.parse(text).error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, `${why}: charset`)
  t.equal(answer.headers.get('cache-control'), 'no-store', `${why}: no-store (C11)`)
  t.equal(answer.headers.get('pragma'), 'no-cache', `${why}: no-cache (C11)`)
  t.notMatch(text, /evil/, `${why}: nothing reflected`)
}

test('bodies that are not one clean form are invalid_request (C3, C6, C9)', async (t) => {
  const app = await startApp(t)
  const cases: [string, string | Buffer, Record<string, string>?][] = [
    ['JSON', '{"grant_type":"evil"}', { 'content-type': 'application/json' }],
    ['text', 'grant_type=evil', { 'content-type': 'text/plain' }],
    ['multipart', 'evil', { 'content-type': 'multipart/form-data; boundary=x' }],
    ['a media type that is none', 'evil', { 'content-type': 'evil' }],
    ['broken percent-encoding', 'grant_type=%zzevil'],
    ['half a percent-encoding', 'grant_type=evil%2'],
    ['invalid UTF-8 in percent-encoding', 'grant_type=%ff%fe'],
    ['an overlong encoding', 'grant_type=%c0%af'],
    ['a lone surrogate', 'grant_type=%ed%a0%80'],
    ['raw invalid UTF-8', Buffer.from([0x61, 0x3d, 0xff])],
    ['a duplicate', 'grant_type=password&grant_type=password'],
    ['a duplicate of nothing', 'grant_type=password&scope=&scope='],
    ['a duplicate unknown name', 'grant_type=client_credentials&evil=1&evil=2'],
    ['a duplicate in disguise', 'grant_type=password&%67rant_type=password'],
    ['__proto__', '__proto__=evil&grant_type=password'],
    ['constructor', 'constructor=evil&grant_type=password'],
    ['prototype', 'prototype=evil'],
    ['nine resources', `grant_type=password${'&resource=https://a.test'.repeat(9)}`],
    ['no grant_type', 'evil=1'],
    ['an empty grant_type', 'grant_type='],
    ['a grant_type without a value', 'grant_type'],
    ['nothing', ''],
    ['password without username', 'grant_type=password&password=evil'],
    ['password with an empty password', 'grant_type=password&username=evil&password='],
    ['refresh_token without one', 'grant_type=refresh_token'],
  ]
  for (const [why, body, headers] of cases) {
    await refused(t, await post(app, body, headers), 400, 'invalid_request', why)
  }
})

test('a refusal names the parameter that is missing, and the grants that there are', async (t) => {
  const app = await startApp(t)
  const told = async (path: string, parameters: Record<string, string>) => {
    const answer = await app.form(path, parameters)
    return ((await answer.json()) as { error_description: string }).error_description
  }
  const missing: [path: string, parameters: Record<string, string>, name: string][] = [
    ['/token', { evil: '1' }, 'grant_type'],
    ['/token', { grant_type: 'password', password: 'evil' }, 'username'],
    ['/token', { grant_type: 'password', username: 'evil' }, 'password'],
    ['/token', { grant_type: 'refresh_token', refresh_token: '' }, 'refresh_token'],
    ['/introspect', { evil: '1' }, 'token'],
    ['/revoke', { token: '' }, 'token'],
  ]
  for (const [path, parameters, name] of missing) {
    t.equal(await told(path, parameters), `A required parameter is missing: ${name}.`)
  }
  const grants = await told('/token', { grant_type: 'evil' })
  for (const name of GRANT_TYPES) t.match(grants, new RegExp(`\\b${name}\\b`))
})

test('a charset suffix and any case of the media type are fine (C6)', async (t) => {
  const app = await startApp(t)
  for (const type of [
    'application/x-www-form-urlencoded; charset=UTF-8',
    'Application/X-WWW-Form-Urlencoded',
  ]) {
    const answer = await post(app, 'grant_type=nothing', { 'content-type': type })
    await refused(t, answer, 400, 'unsupported_grant_type', type)
  }
})

test('grant types are judged before the client is (C8)', async (t) => {
  const app = await startApp(t)
  for (const name of ['evil', 'authorization_code', 'PASSWORD', '__proto__ ']) {
    const body = new URLSearchParams({ grant_type: name }).toString()
    await refused(t, await post(app, body), 400, 'unsupported_grant_type', name)
  }
  await refused(
    t,
    await post(app, 'grant_type=client_credentials'),
    401,
    'invalid_client',
    'no client at all',
  )
})

test('a grant that the client does not list is unauthorized_client (C8, C46)', async (t) => {
  const app = await startApp(t)
  const { id } = await app.makeClient({ grantTypes: ['refresh_token'] })
  for (const [grant, extra] of [
    ['password', '&username=a&password=b'],
    ['client_credentials', ''],
  ] as const) {
    const answer = await post(app, `grant_type=${grant}&client_id=${id}${extra}`)
    await refused(t, answer, 400, 'unauthorized_client', grant)
  }
})

test('parameters in the query string are refused, others are not looked at (C7)', async (t) => {
  const app = await startApp(t)
  for (const name of ['client_secret', 'password', 'refresh_token', 'grant_type', 'token']) {
    const answer = await app.fetch(`/token?${name}=evil`, {
      method: 'POST',
      body: 'grant_type=client_credentials',
      headers: FORM,
    })
    await refused(t, answer, 400, 'invalid_request', name)
    t.ok(app.log.some((line) => line.reason === 'parameter_in_query'))
  }
  const tracked = await app.fetch('/token?utm_source=evil', {
    method: 'POST',
    body: 'grant_type=nothing',
    headers: FORM,
  })
  await refused(t, tracked, 400, 'unsupported_grant_type', 'an unknown query parameter')
})

test('an oversized body is 413, in the same shape (C9)', async (t) => {
  const app = await startApp(t)
  const answer = await post(app, `grant_type=${'a'.repeat(17 * 1024)}`)
  await refused(t, answer, 413, 'invalid_request', 'over 16 KiB')
})

test('every other method is 405 with Allow: POST (C1)', async (t) => {
  const app = await startApp(t)
  for (const path of ['/token', '/revoke', '/introspect']) {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      const answer = await app.fetch(`${path}?grant_type=evil`, { method })
      t.equal(answer.headers.get('allow'), 'POST')
      await refused(t, answer, 405, 'invalid_request', `${method} ${path}`)
    }
    t.equal((await app.fetch(path, { method: 'HEAD' })).status, 405)
  }
})
