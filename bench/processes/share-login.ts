// One login in many hands: the processes use it, a thief with a copy of their file comes in between, and
// what became of each is counted.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scope } from '../../test/support/scope.ts'
import { makeServerDir } from '../../test/support/temp-dir.ts'
import { until } from '../../test/support/until.ts'
import { openTokenEndpoint, type TokenEndpoint } from './ask-tokens.mjs'
import { countTokens, startCrew } from './process-crew.ts'
import type { SharedLogin } from './token-services.ts'

/** The longest pause of a process between two of its steps. */
const PAUSE_MS = '40'

/** `tokens`, or the error. */
export type Answer = string

export interface Shared {
  readonly uses: number
  /** How many different refresh tokens the processes were given. */
  readonly tokens: number
  /** Refused uses after which another process had written a newer token. */
  readonly refused: number
  /** Processes that lost the login before the thief came, and after that. */
  readonly lostBefore: number
  readonly lostAfter: number
  readonly thiefAtOnce: Answer
  /** With the token that he stole, when the grace of its successor is over. */
  readonly thiefLater: Answer
  /** The owner, after that. */
  readonly ownerAfter: Answer
}

export interface Sharing {
  readonly processes: number
  readonly usesEach: number
  /** How many refresh tokens there have to be before the thief comes again. */
  readonly tokens: number
}

export async function shareLogin(
  t: Scope,
  login: SharedLogin,
  { processes, usesEach, tokens }: Sharing,
): Promise<Shared> {
  const { endpoint, ownParameters, credentials, endGrace } = login
  const file = join(makeServerDir(), 'credentials.json')
  writeFileSync(file, JSON.stringify(credentials), { mode: 0o600 })
  const crew = startCrew(t, processes, {
    CREDENTIALS_FILE: file,
    PAUSE_MS,
    ENDPOINT: JSON.stringify(endpoint),
    OWN_PARAMETERS: JSON.stringify(ownParameters),
  })
  const count = (use: string) => crew.uses.flat().filter((one) => one.use === use).length

  await crew.eachUsed(1)
  const lostBefore = count('gone')
  // All that stands in the file, and nothing else.
  const stolen = readCredentials(file)
  const thief = () => present({ ...endpoint, key: undefined }, stolen)
  const thiefAtOnce = await thief()
  await crew.eachUsed(usesEach)
  await crew.given(tokens)
  await crew.stop()
  const lost = count('gone')

  const owner = () => present(endpoint, { ...readCredentials(file), ...ownParameters })
  await endGrace?.()
  return {
    uses: crew.uses.flat().length,
    tokens: countTokens(crew.uses),
    refused: count('refused'),
    lostBefore,
    lostAfter: lost - lostBefore,
    thiefAtOnce,
    thiefLater: await thief(),
    ownerAfter: await owner(),
  }
}

function readCredentials(file: string): SharedLogin['credentials'] {
  return JSON.parse(readFileSync(file, 'utf8')) as SharedLogin['credentials']
}

/** Until something is decided: a busy service may ask to be asked again. */
async function present(
  endpoint: TokenEndpoint,
  parameters: Readonly<Record<string, string>>,
): Promise<Answer> {
  const ask = openTokenEndpoint(endpoint)
  return await until('an answer', async () => {
    const { ok, body } = await ask({ grant_type: 'refresh_token', ...parameters })
    return body.error !== 'temporarily_unavailable' && (ok ? 'tokens' : (body.error ?? 'nothing'))
  })
}
