// A command line that is started again and again, many times at once, out of one login:
//   agent.mjs login USERNAME    the password is the first line of standard input
//   agent.mjs get [URL]         by default who is logged in
//   agent.mjs logout

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createFileCredentials, createTokenSource, generateDpopKey } from 'lineage/client'

const { ISSUER = 'http://localhost:3000', CLIENT_ID = 'agent' } = process.env
const { AGENT_HOME = join(homedir(), '.lineage-agent') } = process.env
const LOGIN_FILE = join(AGENT_HOME, 'login.json')
const KEY_FILE = join(AGENT_HOME, 'key.json')

const file = createFileCredentials(LOGIN_FILE)
let read

/** Without the lock of `file`: nobody waits for a process that died with it. */
const login = {
  async load() {
    read = await file.load()
    return read
  },
  async save({ refreshToken }) {
    // Answered with itself: whoever has been given another one meanwhile has written that.
    if (refreshToken !== read?.refreshToken) await file.save({ refreshToken })
  },
}

/** A plug-in that goes on running makes it once, and calls `fetch` of it. */
async function openSource() {
  return createTokenSource({
    issuer: ISSUER,
    clientId: CLIENT_ID,
    auth: { method: 'none' },
    // Whoever copies the login without this key has nothing.
    dpop: { key: JSON.parse(await readFile(KEY_FILE, 'utf8')) },
    grant: { type: 'refresh_token', credentials: login },
  })
}

async function logIn(username) {
  const password = (await text(process.stdin)).split('\n', 1)[0]
  await mkdir(AGENT_HOME, { recursive: true, mode: 0o700 })
  const key = JSON.stringify(await generateDpopKey())
  await writeFile(KEY_FILE, key, { mode: 0o600, flag: 'wx' }).catch((error) => {
    // That of an earlier login is in use.
    if (error.code !== 'EEXIST') throw error
  })
  const { prover } = (await openSource()).client
  const url = `${ISSUER}/token`
  const form = { grant_type: 'password', client_id: CLIENT_ID, username, password }
  const post = async () => {
    const dpop = await prover.prove({ method: 'POST', url })
    return fetch(url, { method: 'POST', body: new URLSearchParams(form), headers: { dpop } })
  }
  let answer = await post()
  // The server wants a nonce of its own in the proof (RFC 9449 §8).
  if (prover.learn(url, answer.headers) && answer.status === 400) answer = await post()
  const { refresh_token: refreshToken, error } = await answer.json()
  if (!answer.ok) throw new Error(`no login: ${error}`)
  await file.save({ refreshToken })
}

async function get(url = `${ISSUER}/users/me`) {
  const answer = await (await openSource()).fetch(url)
  console.log(await answer.text())
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
}

async function logOut() {
  const kept = await file.load()
  if (!kept) return
  const body = new URLSearchParams({ client_id: CLIENT_ID, token: kept.refreshToken })
  const answer = await fetch(`${ISSUER}/revoke`, { method: 'POST', body })
  if (!answer.ok) throw new Error(`the login goes on: /revoke answered ${answer.status}`)
  await rm(LOGIN_FILE)
}

try {
  const [name, ...rest] = process.argv.slice(2)
  const command = { login: logIn, get, logout: logOut }[name]
  if (!command) throw new Error('agent.mjs login USERNAME | get [URL] | logout')
  await command(...rest)
} catch (error) {
  const isOver = error.error === 'invalid_grant' || error.code === 'ENOENT'
  console.error(isOver ? 'nobody is logged in' : error.message)
  process.exitCode = 1
}
