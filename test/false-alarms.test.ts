// Nothing is called down that nobody asked, nor whose connection we ourselves close: neither by the
// first start on an empty database, nor by a command that is over at once, nor by a stop.

import { type Test, test } from 'tap'
import { loadConfig } from '../src/config/service-config.ts'
import { createLogger } from '../src/ops/logger.ts'
import { openService } from '../src/wiring/open-service.ts'
import { runHere } from './support/command-line.ts'
import { serverEnvironment } from './support/lineage-process.ts'
import { openEmptyDatabase, openTestDatabase } from './support/postgres.ts'
import { startRedis, startRedisCluster, startRedisSentinel } from './support/redis.ts'

/** What a start and the stop after it say of their dependencies. */
async function startAndStop(t: Test, databaseUrl: string, redisUrl?: string): Promise<string[]> {
  const said: string[] = []
  const write = (line: string) => {
    if (line.includes('dependency.')) said.push(line)
  }
  const config = loadConfig(serverEnvironment(databaseUrl, redisUrl))
  if (config.mode !== 'server') throw new Error('not a server')
  const service = await openService({ config, logger: createLogger('info', { write }) })
  const { dependencies } = await service.health.readiness()
  const expected = redisUrl === undefined ? ['ok'] : ['ok', 'ok']
  t.strictSame(Object.values(dependencies), expected)
  await service.close()
  return said
}

test('the first start on an empty database, and its stop, alarm nobody', async (t) => {
  const servers: Record<string, () => Promise<string | undefined>> = {
    'families in PostgreSQL': async () => undefined,
    'one Redis': async () => (await startRedis(t)).url,
    Sentinel: async () => (await startRedisSentinel(t)).url,
    'a Cluster': async () => (await startRedisCluster(t)).url,
  }
  for (const [what, start] of Object.entries(servers)) {
    const redisUrl = await start()
    const { url } = await openEmptyDatabase(t)
    for (const time of ['first', 'second']) {
      t.strictSame(await startAndStop(t, url, redisUrl), [], `${what}: the ${time} start`)
    }
  }
})

test('a command with a right answer adds nothing to it, whatever Redis does', async (t) => {
  const redis = await startRedis(t)
  const { url } = await openTestDatabase(t)
  const env = serverEnvironment(url, redis.url)
  const person = ['--username', 'ada', '--email', 'ada@example.com']
  const created = await runHere(env, ['user', 'create', ...person], 'a passphrase\n')
  t.match(created, { code: 0, stderr: '' })
  const commands: [args: string[], stderr: string | RegExp][] = [
    [['user', 'sessions', 'nobody'], 'lineage: there is no such user\n'],
    [['user', 'set-password', 'ghost'], 'lineage: there is no such user\n'],
    [['user', 'disable', 'ghost'], 'lineage: there is no such user\n'],
    [['user', 'logout', 'ghost'], 'lineage: there is no such user\n'],
    [['client', 'list'], ''],
    [['keys', 'list'], ''],
    [['events', 'tail'], ''],
  ]
  const tryAll = async (redisIs: string) => {
    for (const [args, stderr] of commands) {
      const run = await runHere(env, args, 'a passphrase\n')
      t.equal(run.stderr, stderr, `${args.join(' ')}, Redis ${redisIs}`)
    }
  }
  await tryAll('up')
  for (const args of [['sessions'], ['set-password'], ['logout'], ['disable']]) {
    const run = await runHere(env, ['user', ...args, 'ada'], 'another passphrase\n')
    t.match(run, { code: 0 }, args.join(' '))
    t.notMatch(run.stderr, 'dependency')
  }
  await redis.stop()
  await tryAll('down, which none of these asks')
})
