// loadConfig: what the environment as a whole means, and the one message when it means nothing.

import { join } from 'node:path'
import { test } from 'tap'
import { CONFIG_TABLE } from '../../src/config/config-table.ts'
import { findConfigWarnings, loadConfig } from '../../src/config/service-config.ts'
import { StartError } from '../../src/runtime/start-error.ts'

const SECRET_KEY = Buffer.alloc(32, 7).toString('base64url')
const SERVER = {
  DATABASE_URL: 'postgres://u:geheim@db/lineage',
  LINEAGE_SECRET_KEY: SECRET_KEY,
  LINEAGE_ISSUER: 'https://auth.example.com',
}
type Environment = Record<string, string | undefined>

/** The one message, which must be a StartError's. */
function problemOf(env: Environment, readFile?: (path: string) => string): string {
  try {
    loadConfig(env, readFile)
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
  return ''
}

const count = (text: string, name: string): number =>
  text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0

test('an empty environment is embedded mode with every default', async (t) => {
  t.strictSame(loadConfig({}), {
    mode: 'embedded',
    port: 3000,
    host: '127.0.0.1',
    logLevel: 'info',
    logConcerns: new Map(),
    logFormat: 'json',
    dataDir: '.lineage',
    adminClient: undefined,
    registration: 'closed',
    signingAlgs: ['ES256'],
    audienceSigningAlgs: new Map(),
    keyRotationDays: 30,
    jwksMaxAgeSeconds: 300,
    accessTokenTtlSeconds: 600,
    refreshIdleTtlSeconds: 1_209_600,
    refreshAbsoluteTtlSeconds: 7_776_000,
    refreshGraceSeconds: 30,
    assertionAudience: 'issuer',
    defaultAudience: undefined,
    trustProxy: [],
    tls: undefined,
    certificateHeader: { name: 'client-cert', form: 'rfc9440' },
    isCertificateHeaderStated: false,
    mtlsOrigin: undefined,
    opsPort: undefined,
    migrate: 'auto',
    applyFiles: [],
    shutdownDelaySeconds: 0,
    workers: 1,
    maxConnections: 10_000,
    eventRetentionDays: 90,
    argon2: { memoryKib: 19_456, time: 2, parallelism: 1 },
    passwordPeppers: undefined,
    passwordMinLength: 8,
    passwordMaxLength: 256,
    passwordBlocklist: true,
    dpopNonce: 'token',
    throttle: 'on',
    throttleExempt: [],
    threads: 4,
    mail: undefined,
    telemetry: undefined,
  })
})

test('database, root secret and issuer make a server; Redis is the choice of the family store', async (t) => {
  const config = loadConfig(SERVER)
  t.match(config, {
    mode: 'server',
    issuer: SERVER.LINEAGE_ISSUER,
    databaseUrl: SERVER.DATABASE_URL,
    redis: undefined,
  })
  t.match(loadConfig({ ...SERVER, REDIS_URL: 'redis://cache:6380' }), {
    redis: { mode: 'single', nodes: [{ host: 'cache', port: 6380 }] },
  })
  t.equal(loadConfig({ ...SERVER, HOST: '0.0.0.0' }).mode, 'server')
})

test('embedded mode needs all four unset and a loopback host; any other mix names what is missing', async (t) => {
  for (const host of ['127.0.0.1', 'localhost', '::1']) {
    t.equal(loadConfig({ HOST: host }).mode, 'embedded', host)
  }
  const needed = Object.keys(SERVER)
  const mixes: Record<string, Environment> = {
    'a public host': { HOST: '0.0.0.0' },
    'only Redis': { REDIS_URL: 'redis://cache' },
    'only a database': { DATABASE_URL: SERVER.DATABASE_URL },
    'only an issuer': { LINEAGE_ISSUER: SERVER.LINEAGE_ISSUER },
    'only a root secret': { LINEAGE_SECRET_KEY: SECRET_KEY },
    'no issuer': { ...SERVER, LINEAGE_ISSUER: '' },
  }
  for (const [name, env] of Object.entries(mixes)) {
    const problem = problemOf(env)
    for (const need of needed) t.equal(count(problem, need), env[need] ? 0 : 1, `${name}: ${need}`)
  }
  t.equal(
    count(
      problemOf({ REDIS_URL_FILE: '/r' }, () => 'redis://a'),
      'DATABASE_URL',
    ),
    1,
  )
})

test('a schema that cannot be, or is not what it says, is refused', async (t) => {
  const withSchema = (name: string) => `${SERVER.DATABASE_URL}?schema=${encodeURIComponent(name)}`
  for (const name of ['a"b', 'a\0b', 'a\nb', '$user', 'pg_catalog', 'é'.repeat(32)]) {
    const problem = problemOf({ ...SERVER, DATABASE_URL: withSchema(name) })
    t.match(problem, /DATABASE_URL has a schema that none can be called/, JSON.stringify(name))
  }
  for (const name of ['', 'lineage', 'Of its own', "o'clock", 'é'.repeat(31)]) {
    t.match(loadConfig({ ...SERVER, DATABASE_URL: withSchema(name) }), { mode: 'server' }, name)
  }
})

test('a bad value of the four is one problem, not also a missing one', async (t) => {
  const problem = problemOf({ ...SERVER, DATABASE_URL: 'geheim', HOST: 'a/b' })
  t.equal(count(problem, 'DATABASE_URL'), 1)
  t.equal(count(problem, 'HOST'), 1)
  t.notMatch(problem, /missing/)
  t.notMatch(problemOf({ HOST: 'a/b' }), /missing/)
})

test('an empty value is unset, whether known or not', async (t) => {
  const empty = Object.fromEntries(Object.keys(CONFIG_TABLE).map((name) => [name, '']))
  t.strictSame(
    loadConfig({ ...empty, LINEAGE_UNKNOWN: '', DATABASE_URL_FILE: '', OTHER: 'x' }),
    // Node reads this one by itself.
    { ...loadConfig({}), threads: 1 },
  )
})

test('every problem is named once in one message that repeats no value', async (t) => {
  const bad = Object.fromEntries(Object.keys(CONFIG_TABLE).map((name) => [name, '/geheim/ ']))
  const env = {
    ...bad,
    LINEAGE_DATA_DIR: 'fine',
    LINEAGE_APPLY_FILE: ',',
    LINEAGE_MAIL_TEMPLATES: 'fine',
    LINEAGE_NONSENSE: 'geheim',
    LINEAGE_issuer: 'geheim',
  }
  const problem = problemOf(env)
  for (const name of Object.keys(env)) {
    t.equal(count(problem, name), env[name as keyof typeof env] === 'fine' ? 0 : 1, name)
  }
  t.notMatch(problem, 'geheim')
})

test('variables of Kubernetes Services are no settings, whatever the Service is called', async (t) => {
  const links: Record<string, string> = {}
  for (const service of ['LINEAGE', 'LINEAGE_OPS', 'LINEAGE_REDIS', 'LINEAGE_2']) {
    Object.assign(links, {
      [`${service}_SERVICE_HOST`]: '10.0.0.1',
      [`${service}_SERVICE_PORT`]: '3000',
      [`${service}_SERVICE_PORT_HTTP`]: '3000',
      [`${service}_PORT`]: 'tcp://10.0.0.1:3000',
      [`${service}_PORT_3000_TCP`]: 'tcp://10.0.0.1:3000',
      [`${service}_PORT_3000_TCP_PROTO`]: 'tcp',
      [`${service}_PORT_3000_TCP_PORT`]: '3000',
      [`${service}_PORT_53_UDP_ADDR`]: '10.0.0.1',
    })
  }
  const config = loadConfig(links)
  t.strictSame(config, loadConfig({}))
  t.equal(findConfigWarnings(links, config).length, 1, 'one warning')
  t.strictSame(findConfigWarnings({ LINEAGE_OPS_PORT: '3001' }, config), [])
  t.match(loadConfig({ LINEAGE_OPS_PORT: '3001' }), { opsPort: 3001 })
})

test('refuses unknown LINEAGE_ names', async (t) => {
  for (const name of [
    'LINEAGE_PORT',
    'LINEAGE_PORTS',
    'LINEAGE_SERVICES',
    'LINEAGE_SERVICE_HOSTS',
    'LINEAGE_PORT_HTTP',
    'LINEAGE_ISSUER_FILE',
    'LINEAGE_constructor',
    'LINEAGE_',
  ]) {
    t.match(problemOf({ [name]: '8080' }), `${name} is not a known setting.`)
  }
  t.notMatch(problemOf({ 'LINEAGE_A\nB': 'x' }), 'A\nB', 'one line a problem')
})

test('what an editor leaves in a secret stops the start, in a file and in the environment', async (t) => {
  const secret = 's'.repeat(32)
  const admin = { LINEAGE_ADMIN_CLIENT_ID: 'admin-cli' }
  const oddities = { 'a byte order mark': `\ufeff${secret}`, 'a line break': `${secret}\n\n` }
  const odd = {
    ...oddities,
    'a character outside': `${secret}é`,
    'a line': `${secret}\n${secret}\n`,
  }
  for (const [what, text] of Object.entries(odd)) {
    for (const name of ['LINEAGE_ADMIN_CLIENT_SECRET', 'REDIS_URL', 'DATABASE_URL']) {
      const problem = problemOf(
        { ...SERVER, ...admin, [name]: '', [`${name}_FILE`]: '/f' },
        () => text,
      )
      t.match(problem, `${name} has ${what}`)
      t.notMatch(problem, 'sss')
    }
    const problem = problemOf({ ...admin, LINEAGE_ADMIN_CLIENT_SECRET: text })
    t.match(problem, 'LINEAGE_ADMIN_CLIENT_SECRET must be 32 to 1024 printable ASCII characters')
  }
})

test('a bootstrap secret that form-encoding changes is warned about', async (t) => {
  for (const [secret, count] of [
    ['Az09-_.~', 0],
    ['+', 1],
    ['%', 1],
    [' ', 1],
    ['&', 1],
  ] as const) {
    const adminClient = { id: 'admin-cli', secret: secret.repeat(32) }
    t.equal(findConfigWarnings({}, { adminClient }).length, count, secret)
  }
})

test('an empty UV_THREADPOOL_SIZE is warned about, because to Node it is not unset', async (t) => {
  const config = loadConfig({ UV_THREADPOOL_SIZE: '' })
  t.equal(config.threads, 1)
  t.match(findConfigWarnings({ UV_THREADPOOL_SIZE: '' }, config), [/^UV_THREADPOOL_SIZE is empty/])
  t.strictSame(findConfigWarnings({ UV_THREADPOOL_SIZE: '8' }, config), [])
})

test('what has made a start leave embedded mode is named', async (t) => {
  t.match(problemOf({ HOST: '0.0.0.0' }), 'HOST is not a loopback address')
  t.match(problemOf({ REDIS_URL: 'redis://cache' }), 'REDIS_URL is set')
  t.notMatch(problemOf({ LINEAGE_ISSUER: SERVER.LINEAGE_ISSUER }), /HOST|REDIS/)
  t.notMatch(problemOf({ HOST: 'a/b' }), 'loopback')
})

test('the four secrets may come from files, one trailing newline cut', async (t) => {
  const files: Record<string, string> = {
    '/db': `${SERVER.DATABASE_URL}\n`,
    '/key': `${SECRET_KEY}\r\n`,
    '/redis': 'redis://cache',
    '/admin': `${'s'.repeat(32)}\n`,
  }
  const config = loadConfig(
    {
      LINEAGE_ISSUER: SERVER.LINEAGE_ISSUER,
      DATABASE_URL_FILE: '/db',
      LINEAGE_SECRET_KEY_FILE: '/key',
      REDIS_URL_FILE: '/redis',
      LINEAGE_ADMIN_CLIENT_ID: 'admin-cli',
      LINEAGE_ADMIN_CLIENT_SECRET_FILE: '/admin',
    },
    (path) => files[path] ?? '',
  )
  t.match(config, {
    mode: 'server',
    databaseUrl: SERVER.DATABASE_URL,
    redis: { nodes: [{ host: 'cache', port: 6379 }] },
    adminClient: { id: 'admin-cli', secret: 's'.repeat(32) },
  })
})

test('reads the files of the real file system when none other is given', async (t) => {
  const path = join(t.testdir({ database: `${SERVER.DATABASE_URL}\n` }), 'database')
  const { DATABASE_URL: _, ...rest } = SERVER
  t.match(loadConfig({ ...rest, DATABASE_URL_FILE: path }), { databaseUrl: SERVER.DATABASE_URL })
})

test('a secret by value and by file, an unreadable or an empty file: a problem without content', async (t) => {
  const both = problemOf({ ...SERVER, DATABASE_URL_FILE: '/geheim' }, () => SERVER.DATABASE_URL)
  t.equal(count(both, 'DATABASE_URL'), 1)
  t.match(both, 'both set')
  const unreadable = problemOf({ ...SERVER, REDIS_URL_FILE: '/geheim/nowhere' })
  t.match(unreadable, 'REDIS_URL cannot be read')
  const empty = problemOf({ ...SERVER, REDIS_URL_FILE: '/geheim' }, () => '\n')
  t.match(empty, 'REDIS_URL is empty')
  const { LINEAGE_SECRET_KEY: _, ...rest } = SERVER
  const bad = problemOf({ ...rest, LINEAGE_SECRET_KEY_FILE: '/f' }, () => 'geheim')
  t.equal(count(bad, 'LINEAGE_SECRET_KEY'), 1)
  t.notMatch(both + unreadable + empty + bad, 'geheim')
})

test('the bootstrap admin client exists only as a pair', async (t) => {
  const id = { LINEAGE_ADMIN_CLIENT_ID: 'admin-cli' }
  const secret = { LINEAGE_ADMIN_CLIENT_SECRET: 's'.repeat(32) }
  t.match(loadConfig({ ...id, ...secret }), {
    adminClient: { id: 'admin-cli', secret: 's'.repeat(32) },
  })
  t.match(problemOf(id), 'LINEAGE_ADMIN_CLIENT_SECRET is missing.')
  t.match(problemOf(secret), 'LINEAGE_ADMIN_CLIENT_ID is missing.')
  t.equal(
    count(
      problemOf({ ...id, LINEAGE_ADMIN_CLIENT_SECRET: 'short' }),
      'LINEAGE_ADMIN_CLIENT_SECRET',
    ),
    1,
  )
  const uuid = { LINEAGE_ADMIN_CLIENT_ID: 'f0000000-0000-4000-8000-000000000000' }
  t.match(problemOf({ ...uuid, ...secret }), 'LINEAGE_ADMIN_CLIENT_ID must', '(C48)')
})

test('settings that contradict each other are one problem for each pair', async (t) => {
  const contradictions: Record<string, Environment> = {
    'LINEAGE_OPS_PORT must be another port': { PORT: '3000', LINEAGE_OPS_PORT: '3000' },
    'LINEAGE_ACCESS_TOKEN_TTL_SECONDS must be above': {
      LINEAGE_ACCESS_TOKEN_TTL_SECONDS: '30',
      LINEAGE_REFRESH_GRACE_SECONDS: '30',
    },
    'LINEAGE_REFRESH_IDLE_TTL_SECONDS must not be over': {
      LINEAGE_REFRESH_IDLE_TTL_SECONDS: '61',
      LINEAGE_REFRESH_ABSOLUTE_TTL_SECONDS: '60',
    },
    'LINEAGE_ARGON2_MEMORY_KIB must be': {
      LINEAGE_ARGON2_MEMORY_KIB: '31',
      LINEAGE_ARGON2_PARALLELISM: '4',
    },
    'LINEAGE_ARGON2_MEMORY_KIB times LINEAGE_ARGON2_TIME must be': {
      LINEAGE_ARGON2_MEMORY_KIB: '262144',
      LINEAGE_ARGON2_TIME: '4',
    },
    'and times LINEAGE_ARGON2_PARALLELISM at most': {
      LINEAGE_ARGON2_MEMORY_KIB: '262144',
      LINEAGE_ARGON2_TIME: '3',
      LINEAGE_ARGON2_PARALLELISM: '3',
    },
    'LINEAGE_PASSWORD_MIN_LENGTH must not be over': {
      LINEAGE_PASSWORD_MIN_LENGTH: '13',
      LINEAGE_PASSWORD_MAX_LENGTH: '12',
    },
  }
  for (const [problem, env] of Object.entries(contradictions)) t.match(problemOf(env), problem)
  t.doesNotThrow(() =>
    loadConfig({
      LINEAGE_OPS_PORT: '3001',
      LINEAGE_ACCESS_TOKEN_TTL_SECONDS: '1',
      LINEAGE_REFRESH_GRACE_SECONDS: '0',
      LINEAGE_REFRESH_IDLE_TTL_SECONDS: '60',
      LINEAGE_REFRESH_ABSOLUTE_TTL_SECONDS: '60',
      LINEAGE_ARGON2_MEMORY_KIB: '32',
      LINEAGE_ARGON2_PARALLELISM: '4',
      LINEAGE_PASSWORD_MIN_LENGTH: '12',
      LINEAGE_PASSWORD_MAX_LENGTH: '12',
    }),
  )
})

test('every bound of a number holds at both ends', async (t) => {
  const bounds: Record<string, [good: string[], bad: string[]]> = {
    PORT: [
      ['1', '65535'],
      ['0', '65536'],
    ],
    LINEAGE_KEY_ROTATION_DAYS: [['1'], ['0']],
    LINEAGE_JWKS_MAX_AGE_SECONDS: [
      ['0', '86400'],
      ['86401', '-1'],
    ],
    LINEAGE_ACCESS_TOKEN_TTL_SECONDS: [['31'], ['0']],
    LINEAGE_REFRESH_IDLE_TTL_SECONDS: [['1'], ['0']],
    LINEAGE_REFRESH_GRACE_SECONDS: [
      ['0', '300'],
      ['301', '-1', '1.5'],
    ],
    LINEAGE_SIGNING_ALG: [
      ['ES256', 'EdDSA', 'RS256', 'PS256', 'Ed25519'],
      ['none', 'HS256', 'es256', 'ES256,RS256'],
    ],
    LINEAGE_SIGNING_ALGS: [
      ['RS256', 'ES256,RS256', 'EdDSA,Ed25519'],
      ['ES256, RS256', 'ES256,', ',', 'ES256,ES256', 'ES256,none', 'toString'],
    ],
    LINEAGE_AUDIENCE_SIGNING_ALGS: [
      ['https://api.example=ES256', 'a=ES256 https://b.example/?x=1=ES256'],
      ['a', '=ES256', 'a=', 'a=none', 'a=ES256  b=ES256', 'a=ES256,b=ES256', 'a=ES256 a=ES256'],
    ],
    LINEAGE_REGISTRATION: [['closed', 'open'], ['true']],
    LINEAGE_MIGRATE: [['auto', 'check', 'off'], ['on']],
    LINEAGE_ARGON2_MEMORY_KIB: [
      ['8', '262144'],
      ['7', '262145'],
    ],
    LINEAGE_ARGON2_TIME: [
      ['1', '16'],
      ['0', '17'],
    ],
    LINEAGE_ARGON2_PARALLELISM: [
      ['1', '16'],
      ['0', '17'],
    ],
    LINEAGE_TRUST_PROXY: [['loopback', '10.0.0.0/8'], ['everyone']],
    LINEAGE_CLIENT_CERT_HEADER: [
      ['rfc9440', 'pem:SSL-Client-Cert', 'off'],
      ['pem', 'pem:', 'pem:two words', 'pem:a_b', 'RFC9440', 'OFF', 'der:Client-Cert'],
    ],
    LINEAGE_MTLS_ORIGIN: [
      ['https://mtls.example.com', 'https://mtls.example.com:8443'],
      ['http://mtls.example.com', 'https://mtls.example.com/path', 'https://mtls.example.com/'],
    ],
    LINEAGE_ASSERTION_AUDIENCE: [
      ['issuer', 'issuer+endpoint'],
      ['endpoint', 'Issuer', 'issuer,endpoint'],
    ],
    LINEAGE_DEFAULT_AUDIENCE: [['https://api.example.com', 'orders'], ['two words']],
    UV_THREADPOOL_SIZE: [
      ['1', '1024'],
      ['0', '1025', 'abc', '8x'],
    ],
    LOG_LEVEL: [
      ['silent', 'trace'],
      ['verbose', 'INFO'],
    ],
    LOG_LEVELS: [
      ['request=warn', 'request=silent,dependency=debug', 'security=trace,login=fatal'],
      [
        ...['request', 'request=', '=warn', 'request=warn,', 'request=warn=info', 'request=loud'],
        ...['requests=warn', 'request=WARN', 'request=warn, mail=info', 'request=warn mail=info'],
        ...['request=warn,request=info', 'request.completed=warn', '__proto__=warn'],
      ],
    ],
    LOG_FORMAT: [
      ['json', 'pretty'],
      ['JSON', 'text'],
    ],
  }
  for (const [name, [good, bad]] of Object.entries(bounds)) {
    for (const value of good) t.equal(problemOf({ [name]: value }), '', `${name}=${value}`)
    for (const value of bad)
      t.equal(count(problemOf({ [name]: value }), name), 1, `${name}=${value}`)
  }
})

test('one setting or the other says which algorithms sign, and audiences have one of them', async (t) => {
  const algsOf = (env: Environment) => loadConfig(env).signingAlgs
  t.strictSame(algsOf({ LINEAGE_SIGNING_ALG: 'RS256' }), ['RS256'])
  t.strictSame(algsOf({ LINEAGE_SIGNING_ALGS: 'RS256,ES256' }), ['RS256', 'ES256'])
  const same = { LINEAGE_SIGNING_ALG: 'RS256', LINEAGE_SIGNING_ALGS: 'RS256' }
  t.strictSame(algsOf(same), ['RS256'])
  for (const algs of ['ES256', 'RS256,ES256', 'ES256,RS256']) {
    t.match(
      problemOf({ LINEAGE_SIGNING_ALG: 'RS256', LINEAGE_SIGNING_ALGS: algs }),
      /LINEAGE_SIGNING_ALG must be left out/,
      algs,
    )
  }
  const LINEAGE_AUDIENCE_SIGNING_ALGS = 'https://a.example=RS256'
  const unread = /LINEAGE_AUDIENCE_SIGNING_ALGS must name algorithms that are configured/
  t.match(problemOf({ LINEAGE_AUDIENCE_SIGNING_ALGS }), unread)
  t.match(problemOf({ LINEAGE_AUDIENCE_SIGNING_ALGS, LINEAGE_SIGNING_ALGS: 'ES256,PS256' }), unread)
  const both = { LINEAGE_AUDIENCE_SIGNING_ALGS, LINEAGE_SIGNING_ALGS: 'ES256,RS256' }
  t.strictSame([...loadConfig(both).audienceSigningAlgs], [['https://a.example', 'RS256']])
})
