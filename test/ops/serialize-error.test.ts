// The allow-list of an error's fields, against the errors of the servers that we really talk to.

import { PrismaPg } from '@prisma/adapter-pg'
import { Redis } from 'ioredis'
import pg from 'pg'
import { test } from 'tap'
import { PrismaClient } from '../../src/generated/prisma/client.ts'
import { serializeError } from '../../src/ops/serialize-error.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'

const SECRET = 'correct-horse-battery'

async function caught(work: () => unknown): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test('keeps name, message, code, frames and causes, and nothing else', async (t) => {
  const cause = Object.assign(new TypeError('inner'), { query: SECRET, code: 'E_INNER' })
  const error = Object.assign(new Error('outer', { cause }), { args: [SECRET], code: 'E_OUTER' })
  const logged = serializeError(error)
  t.strictSame(Object.keys(logged), ['name', 'message', 'code', 'stack', 'cause'])
  t.match(logged, { name: 'Error', message: 'outer', code: 'E_OUTER' })
  t.match(logged.cause, { name: 'TypeError', message: 'inner', code: 'E_INNER' })
  t.match(logged.stack, 'serialize-error.test.ts')
  t.notMatch(JSON.stringify(logged), SECRET)
})

test('follows three causes, so that a ring of them ends', async (t) => {
  const error = new Error('ring')
  error.cause = error
  t.equal(JSON.stringify(serializeError(error)).match(/"message"/g)?.length, 4)
})

test('what is thrown without being an error keeps only its type', async (t) => {
  t.strictSame(serializeError(SECRET), { name: 'NotAnError', message: 'thrown string' })
  t.strictSame(serializeError({ SECRET }), { name: 'NotAnError', message: 'thrown object' })
})

test('a value that an error repeats stays in', async (t) => {
  const works: Record<string, () => unknown> = {
    'JSON.parse': () => JSON.parse(`{"password": ${SECRET}`),
    BigInt: () => BigInt(SECRET),
    'an argument of Node': () => Buffer.alloc(SECRET as unknown as number),
    URL: () => new URL(SECRET),
    'a message of two lines': () => {
      throw new Error(`first\n    at ${SECRET} (x.js:1:1)`)
    },
    'a code that is a sentence': () => {
      throw Object.assign(new Error('x'), { code: `bad ${SECRET}` })
    },
  }
  for (const [name, work] of Object.entries(works)) {
    const logged = serializeError(await caught(work))
    t.notMatch(JSON.stringify(logged), SECRET, name)
    t.match(logged.stack, 'serialize-error.test.ts', `${name}: the place is told`)
  }
})

test('errors of PostgreSQL and Prisma tell no row, query or value', async (t) => {
  const { url } = await openTestDatabase(t)
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
  t.teardown(async () => {
    await prisma.$disconnect()
    await pool.end()
  })
  await pool.query('CREATE TABLE names (name text PRIMARY KEY)')
  await pool.query('INSERT INTO names VALUES ($1)', [SECRET])
  const works: Record<string, () => unknown> = {
    'unique key': () => pool.query('INSERT INTO names VALUES ($1)', [SECRET]),
    'bad uuid': () => pool.query('SELECT $1::uuid', [SECRET]),
    'prisma validation': () =>
      prisma.user.create({ data: { id: SECRET, epoch: SECRET as unknown as number } }),
    'prisma bad uuid': () => prisma.user.findUnique({ where: { id: SECRET } }),
    'prisma raw': () => prisma.$queryRawUnsafe(`SELECT '${SECRET}'::int`),
  }
  for (const [name, work] of Object.entries(works)) {
    const error = await caught(work)
    t.notMatch(JSON.stringify(serializeError(error)), SECRET, name)
  }
})

test('errors of Redis tell no command, argument or key', async (t) => {
  const { url } = await startRedis(t)
  const redis = new Redis(url)
  t.teardown(() => redis.disconnect())
  await redis.set('list', SECRET)
  const works: Record<string, () => unknown> = {
    'wrong type': () => redis.lpush('list', SECRET),
    'unknown command': () => redis.call('NONSENSE', SECRET),
    script: () => redis.eval("return redis.error_reply('ERR ' .. '\"' .. ARGV[1])", 0, SECRET),
    'wrong password': () => redis.call('AUTH', 'nobody', SECRET),
  }
  for (const [name, work] of Object.entries(works)) {
    const error = await caught(work)
    t.notMatch(JSON.stringify(serializeError(error)), SECRET, name)
  }
})
