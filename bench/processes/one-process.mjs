// One of many processes that share a login by a file: it reads and writes that without any lock, and
// pauses between each two steps for as long as it happens to. Says on standard output how each use went,
// and goes on until its standard input ends.

import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { openTokenEndpoint } from './ask-tokens.mjs'

const { CREDENTIALS_FILE: file, PAUSE_MS, ENDPOINT, OWN_PARAMETERS } = process.env
const ask = openTokenEndpoint(JSON.parse(ENDPOINT))
const own = JSON.parse(OWN_PARAMETERS)

let isOver = false
process.stdin.on('end', () => {
  isOver = true
})
process.stdin.resume()

const read = () => JSON.parse(readFileSync(file, 'utf8'))

/** Whoever reads finds the old content or the new one, never a part. */
function write(credentials) {
  const temporary = `${file}.${randomUUID()}`
  writeFileSync(temporary, JSON.stringify(credentials), { mode: 0o600 })
  renameSync(temporary, file)
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Number(PAUSE_MS)))
}

/** Undefined where nothing was decided; `gone` where the login is lost: the token is refused, and nobody has written another one. */
async function useOnce() {
  const before = read()
  await pause()
  const { ok, body } = await ask({ grant_type: 'refresh_token', ...before, ...own })
  await pause()
  if (ok) {
    // Answered with itself: meanwhile another process may have written its successor.
    const isAnother = body.refresh_token !== before.refresh_token
    if (isAnother) write({ ...before, refresh_token: body.refresh_token })
    return { use: 'answered', token: fingerprint(body.refresh_token) }
  }
  if (body.error === 'temporarily_unavailable') return undefined
  if (body.error !== 'invalid_grant') throw new Error(JSON.stringify(body))
  return { use: read().refresh_token === before.refresh_token ? 'gone' : 'refused' }
}

function fingerprint(token) {
  return createHash('sha256').update(token).digest('base64url').slice(0, 12)
}

while (!isOver) {
  await pause()
  const used = await useOnce()
  if (used) console.log(JSON.stringify(used))
  if (used?.use === 'gone') break
}
process.stdin.destroy()
