// Makes the secrets of docker-compose.yml, once: `node generate-secrets.mjs DIRECTORY`. Below that
// directory every service has a folder of its own, which is all that it is shown. What is there
// stays, so that a second run, or one after a crash, changes nothing that is in use.

import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = process.argv[2]
if (root === undefined) throw new Error('usage: node generate-secrets.mjs DIRECTORY')

for (const folder of ['lineage', 'postgres', 'redis']) mkdirSync(join(root, folder), { recursive: true })
let made = 0

keep('lineage/secret_key')
keep('lineage/admin_client_secret')
const database = keep('postgres/password')
const redis = keep('redis/password')
put('lineage/database_url', `postgres://lineage:${database}@postgres:5432/lineage`)
put('lineage/redis_url', `redis://:${redis}@redis:6379`)
put('redis/redis.conf', `requirepass ${redis}`)
console.log(`secrets: ${made} made, ${4 - made} kept`)

/** 256 bits in base64url, which needs no escaping in a URL or in redis.conf. */
function keep(path) {
  try {
    return readFileSync(join(root, path), 'utf8').trim()
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  const secret = randomBytes(32).toString('base64url')
  put(path, secret)
  made += 1
  return secret
}

/** Whole or not at all. Each service reads as a user of its own, hence the mode. */
function put(path, text) {
  const target = join(root, path)
  // Left by a crash it may be read but not written, even by its owner.
  rmSync(`${target}.new`, { force: true })
  writeFileSync(`${target}.new`, `${text}\n`, { mode: 0o444 })
  renameSync(`${target}.new`, target)
}
