// Whether a login is right: the same work and the same answer, whatever is wrong with it.

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Form } from './form.ts'
import { countGuess, isThrottled, throttled, withLimit } from './guess-limit.ts'
import type { State, User } from './state.ts'
import { invalidGrant, Refusal } from './wire.ts'

const PASSWORD_MAX = 256
const KEY_BYTES = 32
/** A few milliseconds: enough to be seen by whoever measures. */
const COST = { N: 2048 }
/** Where it is left out for some, that is seen on a busy machine, too. */
const COST_LEFT_OUT = { N: 8192 }
const SALT = randomBytes(16)

const hash = promisify<string, Buffer, number, { N: number }, Buffer>(scrypt)

/** Throws invalid_grant for every login that is not good, 429 for too many guesses. */
export async function logIn(state: State, form: Form): Promise<User> {
  const { has, users } = state
  const [username, password] = readLogin(state, form)
  const name = `user ${username}`
  if (isThrottled(state, name) && !has('guessing-not-throttled')) {
    if (has('lockout-ends-sessions')) endSessions(state, username)
    throw throttled(has)
  }
  const user = users.find((one) => one.username === username)
  const isRight = await withLimit(state, () => isPassword(state, user, password))
  if (user && isRight && mayLogIn(state, user)) return user
  countGuess(state, name, password)
  if (has('login-refused-with-401')) throw new Refusal('invalid_grant', 'not valid', 401)
  if (has('user-enumeration')) {
    throw new Refusal('invalid_grant', user ? 'wrong password' : 'unknown user')
  }
  throw invalidGrant()
}

function readLogin({ has }: State, form: Form): [string, string] {
  if (has('missing-password-as-invalid-grant') && !form.get('password')) throw invalidGrant()
  return [form.need('username'), form.need('password')]
}

function mayLogIn({ has }: State, { state }: User): boolean {
  if (state === 'disabled' && has('disabled-user-told')) {
    throw new Refusal('invalid_grant', 'the account is disabled')
  }
  return state === 'active' || (state === 'second-factor' && has('second-factor-skipped'))
}

async function isPassword({ has }: State, user: User | undefined, given: string) {
  if (given.length > PASSWORD_MAX) {
    if (has('long-password-crashes')) throw new RangeError('the input is too long')
    return false
  }
  const isLeftOut = has('unknown-user-costs-nothing')
  if (!user && isLeftOut) return false
  const cost = isLeftOut ? COST_LEFT_OUT : COST
  const cut = (text: string) => {
    const bytes = has('password-cut-at-72-bytes') ? Buffer.from(text).subarray(0, 72) : text
    const whole = bytes.toString()
    return has('password-cut-at-nul') ? (whole.split('\0')[0] ?? '') : whole
  }
  const known = user ? await hashOf(cut(user.password), cost) : Buffer.alloc(KEY_BYTES)
  return timingSafeEqual(await hash(cut(given), SALT, KEY_BYTES, cost), known)
}

const hashes = new Map<string, Buffer>()

/** What a real service has in its table. */
async function hashOf(password: string, cost: typeof COST): Promise<Buffer> {
  const key = `${cost.N} ${password}`
  const made = hashes.get(key) ?? (await hash(password, SALT, KEY_BYTES, cost))
  hashes.set(key, made)
  return made
}

function endSessions({ families }: State, username: string): void {
  for (const family of families.values()) {
    if (family.user.username === username) family.ended = true
  }
}
