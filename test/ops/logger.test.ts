// Nothing secret leaves through the log, wherever a caller puts it by mistake.

import { fastify } from 'fastify'
import { type Test, test } from 'tap'
import { LOG_EVENTS, logEvent } from '../../src/ops/log-events.ts'
import { createLogger } from '../../src/ops/logger.ts'

const PASSWORD = 'correct-horse-battery'
const UNKNOWN_NAME = 'my-password-typed-as-a-name'
const REFRESH_TOKEN = `lrt_${'Ab-_9'.repeat(18)}`
const ACCESS_TOKEN = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.eyJzdWIiOiIxIn0.c2ln`
const CLIENT_SECRET = `lcs_${'Ab-_9'.repeat(8)}cde`
const WEBHOOK_SECRET = `whsec_${Buffer.from('a secret of a webhook').toString('base64')}`
const SECRETS = [
  ...[PASSWORD, UNKNOWN_NAME, REFRESH_TOKEN, ACCESS_TOKEN, CLIENT_SECRET, WEBHOOK_SECRET],
]

function openLog(): { logger: ReturnType<typeof createLogger>; lines: string[] } {
  const lines: string[] = []
  return { logger: createLogger('trace', { write: (line) => void lines.push(line) }), lines }
}

/** Every secret stays in; what else the line says comes out. */
function check(t: Test, lines: readonly string[], kept?: string): void {
  const output = lines.join('')
  t.ok(output.length > 0, 'something was written')
  for (const secret of SECRETS) t.notOk(output.includes(secret), `without ${secret.slice(0, 12)}…`)
  if (kept) t.match(output, kept)
  for (const line of lines) t.doesNotThrow(() => JSON.parse(line), 'is one JSON document')
}

test('a line carries its event, its level as a word and an ISO time', async (t) => {
  const { logger, lines } = openLog()
  logEvent(logger, 'refresh.reuse_detected', { clientId: 'shop' })
  const line = JSON.parse(lines.join(''))
  t.match(line, { level: 'warn', event: 'refresh.reuse_detected', clientId: 'shop' })
  t.match(line.time, /^\d{4}-\d\d-\d\dT/)
  t.strictSame(Object.keys(line), ['level', 'time', 'event', 'clientId'])
})

test('every event name is lower-case words around one dot', async (t) => {
  for (const name of Object.keys(LOG_EVENTS)) t.match(name, /^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/)
})

test('fields are cut by their name at any depth and in any spelling', async (t) => {
  const names = [
    ...['authorization', 'Authorization', 'proxy-authorization', 'cookie', 'set-cookie'],
    ...['password', 'newPassword', 'currentPassword', 'password_hash', 'client_secret'],
    ...['clientSecret', 'token', 'refresh_token', 'accessToken', 'client_assertion', 'secretKey'],
    ...['username', 'email', 'identifier', 'url', 'originalUrl', 'query', 'body', 'rawBody'],
    ...['headers', 'params', 'command', 'args', 'parameters', 'privateKey', 'privateJwk'],
  ]
  for (const name of names) {
    const { logger, lines } = openLog()
    logger.info({ [name]: PASSWORD, fine: 'kept' })
    logger.info({ a: [{ b: { [name]: { x: PASSWORD, y: UNKNOWN_NAME } } }], fine: 'kept' })
    logger.info({ [name]: [UNKNOWN_NAME] }, 'message %o', { [name]: PASSWORD })
    check(t, lines, 'kept')
  }
})

test('tokens are cut by their shape in messages, values, names and child bindings', async (t) => {
  const { logger, lines } = openLog()
  logger.info(`refused ${REFRESH_TOKEN} and ${ACCESS_TOKEN}`)
  logger.info({ note: `kept ${REFRESH_TOKEN}`, list: [ACCESS_TOKEN] })
  logger.info({ [REFRESH_TOKEN]: 1, [ACCESS_TOKEN]: 2 })
  logger.info({ reqId: CLIENT_SECRET, note: `kept ${WEBHOOK_SECRET}.` })
  logger.info('header was %s', `Bearer ${ACCESS_TOKEN}`)
  for (const gap of ['\t', '\n', ' \r\n\f ']) logger.info(`header was DPoP${gap}${PASSWORD}`)
  logger.info(`header was Basic ${Buffer.from('shop:secret').toString('base64')}`)
  logger.info(`grant_type=password&username=${UNKNOWN_NAME}&password=${PASSWORD}&x=1`)
  logger.info(`connecting to redis://user:${PASSWORD}@cache:6379/0`)
  const child = logger.child({ note: ACCESS_TOKEN, password: PASSWORD, url: `/a?${UNKNOWN_NAME}` })
  child.info('kept')
  child.child({ deep: REFRESH_TOKEN }, { level: 'debug' }).debug({ password: PASSWORD })
  check(t, lines, 'kept')
  t.notMatch(lines.join(''), Buffer.from('shop:secret').toString('base64'))
  t.match(lines.join(''), '@cache:6379')
})

test('objects that are not plain data keep only their type', async (t) => {
  class Credentials {
    readonly value = PASSWORD
  }
  const { logger, lines } = openLog()
  logger.info({ with: new Credentials(), map: new Map([['a', PASSWORD]]), at: new Date(0) })
  logger.info(new Credentials())
  logger.info({ buffer: Buffer.from(PASSWORD), bare: Object.assign(Object.create(null), { a: 1 }) })
  const circular: { fine: string; self?: unknown } = { fine: 'kept' }
  circular.self = circular
  logger.info({ circular })
  check(t, lines, 'kept')
  t.match(lines[0], '[Credentials]')
  t.match(lines[0], '1970-01-01')
})

test('an error is cut the same way, as an argument, as a field and as a child binding', async (t) => {
  const error = Object.assign(new Error(`kept "${PASSWORD}"`), {
    command: { name: 'set', args: [REFRESH_TOKEN] },
    code: 'E_CODE',
  })
  const { logger, lines } = openLog()
  logger.error(error)
  logger.error({ err: error })
  logger.error({ err: error }, 'with a message')
  logger.error({ failure: { nested: error } })
  logger.error('format %o', error)
  logger.child({ err: error }).error('in a child')
  check(t, lines, 'E_CODE')
  t.match(JSON.parse(lines[0] ?? ''), { msg: 'kept …', err: { message: 'kept …' } })
})

test('a Fastify server that logs its requests as it would by itself tells no URL or header', async (t) => {
  const { logger, lines } = openLog()
  const app = fastify({ loggerInstance: logger })
  t.teardown(() => app.close())
  app.get('/whoami', async (request) => {
    request.log.info({ req: request.raw, request, headers: request.headers }, 'kept')
    throw new Error(`'${UNKNOWN_NAME}' is not known`)
  })
  await app.inject({
    url: `/whoami?access_token=${ACCESS_TOKEN}&q=${UNKNOWN_NAME}`,
    headers: { authorization: `Bearer ${REFRESH_TOKEN}`, cookie: `a=${PASSWORD}` },
  })
  check(t, lines, 'kept')
})

test('the level is respected', async (t) => {
  const lines: string[] = []
  const logger = createLogger('warn', { write: (line) => void lines.push(line) })
  logEvent(logger, 'service.started')
  logEvent(logger, 'dependency.down', { dependency: 'redis' })
  t.equal(lines.length, 1)
  t.doesNotThrow(
    () => createLogger('silent').error('nothing'),
    'and standard output is the default',
  )
})
