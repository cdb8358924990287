// REDIS_URL: every form that is accepted, and what is refused instead of guessed.

import { test } from 'tap'
import { BadValue } from '../../src/config/config-values.ts'
import { parseRedisUrl } from '../../src/config/redis-url.ts'

const SINGLE = {
  mode: 'single',
  tls: false,
  nodes: [{ host: 'localhost', port: 6379 }],
  username: undefined,
  password: undefined,
  db: 0,
  sentinelName: undefined,
} as const

test('reads one server, TLS, credentials and the database', async (t) => {
  const forms: Record<string, object> = {
    'redis://localhost': {},
    'redis://localhost/': {},
    'redis://localhost:6380': { nodes: [{ host: 'localhost', port: 6380 }] },
    'rediss://localhost': { tls: true },
    'redis://[::1]:6380': { nodes: [{ host: '::1', port: 6380 }] },
    'redis://[2001:db8::1]': { nodes: [{ host: '2001:db8::1', port: 6379 }] },
    'redis://localhost/15': { db: 15 },
    'redis://:p%40ss%2F%3A@localhost': { password: 'p@ss/:' },
    'redis://lin%C3%A9age:se:cret@localhost': { username: 'linéage', password: 'se:cret' },
  }
  for (const [url, expected] of Object.entries(forms)) {
    t.strictSame(parseRedisUrl(url), { ...SINGLE, ...expected }, url)
  }
})

test('reads a Cluster and Sentinels with more hosts by comma', async (t) => {
  t.strictSame(parseRedisUrl('rediss://u:p@a:7000,b:7001,[::1]?mode=cluster'), {
    ...SINGLE,
    mode: 'cluster',
    tls: true,
    username: 'u',
    password: 'p',
    nodes: [
      { host: 'a', port: 7000 },
      { host: 'b', port: 7001 },
      { host: '::1', port: 6379 },
    ],
  })
  t.strictSame(parseRedisUrl('redis://a,b:26380/2?mode=sentinel&name=mymaster'), {
    ...SINGLE,
    mode: 'sentinel',
    db: 2,
    sentinelName: 'mymaster',
    nodes: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 26380 },
    ],
  })
})

test('refuses what it would have to guess, and repeats nothing of it', async (t) => {
  const secret = 'geheim'
  const refused = [
    'http://geheim',
    'redis:/geheim',
    'redis://',
    'redis://geheim,',
    'redis://geheim:0',
    'redis://geheim:65536',
    'redis://geheim:63a9',
    'redis://geheim@localhost',
    'redis://:geheim\t@localhost',
    'redis://localhost\n',
    'redis://geheim:@localhost',
    'redis://:ge%zzheim@localhost',
    'redis://:geheim@@localhost',
    'redis://:%FFgeheim@localhost',
    'redis://localhost/geheim',
    'redis://localhost/01',
    'redis://localhost#geheim',
    'redis://geheim,geheim2',
    'redis://localhost?geheim=1',
    'redis://localhost?mode=geheim',
    'redis://localhost?mode=',
    'redis://localhost?mode=cluster&mode=cluster',
    'redis://localhost?name=geheim',
    'redis://localhost?mode=sentinel',
    'redis://localhost?mode=sentinel&name=',
    'redis://localhost?mode=cluster&name=geheim',
    'redis://localhost/1?mode=cluster',
    'redis://::1',
    'redis://[::1',
    `redis://${'geheim,'.repeat(64)}geheim?mode=cluster`,
  ]
  for (const url of refused) {
    const error = t.throws(() => parseRedisUrl(url), BadValue, url)
    t.notMatch(String(error), secret, `${url} is not repeated`)
  }
})
