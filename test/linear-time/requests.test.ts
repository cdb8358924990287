// What anybody may send is read in time that is proportional to its length: headers, targets, forms
// and JSON, at a whole service. A request 15 times as long costs the service little more.

import { test } from 'tap'
import { createLogger } from '../../src/ops/logger.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { exchange, FORM, JSON_TYPE, write } from '../support/hostile-wire.ts'
import { isLinear } from './doubling.ts'

const ORIGIN = 'https://app.example.test'
/** 16 times as many, with a little else, are what the server reads of headers, and of a form. */
const HEADER_BYTES = 970
/** Most of the time of such a request does not depend on the header. */
const HEADER_GROWTH_MAX = 16
const JSON_BYTES = 3_900
const PUMPS = [' ', '\t', ',', ';', '=', '"', 'a', '%41', 'a, ', 'a=b; ', '::1, ', '[', '1.1.1.1,']

const pumped = (pump: string, size: number) => pump.repeat(Math.ceil(size / pump.length))

/** Sends it, and waits for whatever is answered. */
async function send(app: TestApp, bytes: Buffer): Promise<void> {
  const [answer] = await exchange(app.url, bytes)
  if (!answer) throw new Error('no answer')
}

const HEADERS: readonly (readonly [
  start: string,
  header: string,
  value: (text: string) => string,
])[] = [
  ['GET /verify?cookie=1', 'Cookie', (text) => `a${text}=b`],
  ['GET /verify', 'Authorization', (text) => `Bearer ${text}!`],
  ['GET /verify/x', 'X-Auth-Require-Scope', (text) => `a${text}`],
  ['GET /verify?cookie=1', 'Upgrade', (text) => `w${text}`],
  ['GET /users/me', 'Authorization', (text) => `Bearer a${text}!`],
  ['GET /users/me', 'Origin', (text) => `https://a${text}`],
  ['GET /users/me', 'If-Match', (text) => `"a${text}"`],
  ['GET /.well-known/jwks.json', 'If-None-Match', (text) => `"a${text}"`],
  ['GET /docs', 'Accept', (text) => `text/html${text}`],
  ['GET /livez', 'X-Forwarded-For', (text) => `10.0.0.1, ${text}`],
  ['GET /livez', 'User-Agent', (text) => `a${text}`],
]

test('a long header costs no more than its length', async (t) => {
  const app = await startApp(t, {
    config: { trustProxy: ['127.0.0.1/32', '::1/128', '1.1.1.1/32'] },
  })
  for (const [start, header, value] of HEADERS) {
    for (const pump of PUMPS) {
      await isLinear(
        t,
        `${start}, ${header}: ${JSON.stringify(pump)}`,
        HEADER_BYTES,
        (size) => send(app, write(start, [`${header}: ${value(pumped(pump, size))}`])),
        HEADER_GROWTH_MAX,
      )
    }
  }
})

test('a long header of a browser client costs no more than its length', async (t) => {
  const app = await startApp(t, { config: { trustProxy: ['127.0.0.1/32', '1.1.1.1/32'] } })
  const { id } = await app.makeClient({ tokenDelivery: 'cookie', allowedOrigins: [ORIGIN] })
  const forms = {
    '/token': `grant_type=refresh_token&client_id=${id}`,
    '/revoke': `client_id=${id}`,
  }
  for (const [path, form] of Object.entries(forms)) {
    for (const pump of PUMPS) {
      for (const header of ['Cookie', 'X-Forwarded-For']) {
        await isLinear(
          t,
          `${path}, ${header}: ${JSON.stringify(pump)}`,
          HEADER_BYTES,
          (size) => {
            const long = `${header}: a${pumped(pump, size)}=b`
            return send(app, write(`POST ${path}`, [FORM, `Origin: ${ORIGIN}`, long], form))
          },
          HEADER_GROWTH_MAX,
        )
      }
    }
  }
})

test('a long target costs no more than its length', async (t) => {
  const app = await startApp(t)
  for (const start of [
    '/verify?scope=',
    '/verify?',
    '/verify/',
    '/',
    '/admin/users?cursor=',
    '/docs?',
  ]) {
    for (const pump of ['a', '+', '%41', '&', 'a=b&', '=', '/', '..', '/./', '%2e/', ';']) {
      await isLinear(
        t,
        `${start}, ${pump}`,
        HEADER_BYTES,
        (size) => send(app, write(`GET ${start}${pumped(pump, size)}`)),
        HEADER_GROWTH_MAX,
      )
    }
  }
})

test('a long form costs no more than its length', async (t) => {
  const app = await startApp(t)
  const { id } = await app.makeClient({ scopes: ['read'] })
  const login = `client_id=${id}&grant_type=password`
  const forms = [
    '',
    `${login}&username=someone&password=a`,
    `${login}&password=a&username=`,
    `${login}&username=someone&password=abcdefgh&scope=`,
    `${login}&username=someone&password=abcdefgh&resource=`,
    `client_id=${id}&grant_type=refresh_token&refresh_token=`,
    `token=a&client_id=`,
  ]
  for (const form of forms) {
    for (const pump of ['a', '+', '%41', '&', '=', 'a&', '.', '@', '%CC%81%CC%96']) {
      await isLinear(t, `${form.slice(-20)}: ${pump}`, HEADER_BYTES, (size) =>
        send(app, write('POST /token', [FORM], `${form}${pumped(pump, size)}`)),
      )
    }
  }
})

test('a long document costs no more than its length', async (t) => {
  const app = await startApp(t)
  const token = `Authorization: Bearer ${await app.adminToken()}`
  const user = { username: 'someone', email: 'a@example.test', password: 'abcdefgh' }
  const client = { name: 'one', type: 'public', grantTypes: ['password'] }
  const documents: readonly (readonly [path: string, document: (text: string) => unknown])[] = [
    ['/admin/users', (text) => ({ ...user, username: `${text}!` })],
    ['/admin/users', (text) => ({ ...user, email: `${text} ` })],
    ['/admin/users', (text) => ({ ...user, password: `${text}\ud800` })],
    ['/admin/users', (text) => ({ ...user, password: undefined, passwordHash: text })],
    ['/admin/users', (text) => ({ ...user, roles: halfOf(text) })],
    [
      '/admin/users',
      (text) => ({ ...user, ...Object.fromEntries(numbered(text).map((name) => [name, 1])) }),
    ],
    ['/admin/users', (text) => ({ ...user, roles: numbered(text) })],
    ['/admin/clients', (text) => ({ ...client, scopes: numbered(text) })],
    ['/admin/clients', (text) => ({ ...client, audiences: [`${text} `] })],
    ['/admin/clients', (text) => ({ ...client, allowedOrigins: [`https://${text}/`] })],
    ['/admin/clients', (text) => ({ ...client, name: text })],
    ['/admin/webhooks', (text) => ({ url: `https://${text}`, events: ['user.created'] })],
    ['/admin/webhooks', (text) => ({ url: 'https://a.test', events: halfOf(text) })],
  ]
  for (const [index, [path, document]] of documents.entries()) {
    for (const pump of ['a', '\u0301\u0316', '@']) {
      await isLinear(t, `document ${index}: ${JSON.stringify(pump)}`, JSON_BYTES, (size) => {
        const body = JSON.stringify(document(pumped(pump, size / 2)))
        return send(app, write(`POST ${path}`, [JSON_TYPE, token], body))
      })
    }
  }
})

test('a long line of the log is cleaned in time that is proportional to its length', async (t) => {
  const logger = createLogger('info', { write: () => {} })
  const pumps = [
    ...['eyJ', 'eyJ.', 'eyJa.a.', 'lrt_', 'Bearer ', 'Bearer', ' ', '://', '://a:', 'a:', '@'],
    ...['password=', 'token=a', '=', '-', 'a', '\t', ' \t', 'Bearer\t'],
  ]
  for (const pump of pumps) {
    for (const start of ['', 'eyJ', 'eyJa.', 'Bearer ', '://', 'token=']) {
      await isLinear(t, `${start} ${pump}`, 4_096, (size) =>
        logger.info({ event: 'request.refused', said: `${start}${pumped(pump, size)}` }),
      )
    }
  }
})

/** As many names as the document has room for. */
function numbered(text: string): string[] {
  return Array.from({ length: Math.ceil(text.length / 6) }, (_, index) => `m${index}`)
}

/** Each with its quotation marks and comma. */
function halfOf(text: string): string[] {
  return [...text].slice(0, text.length / 2)
}
