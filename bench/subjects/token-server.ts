// A token service as the scenarios see it, whoever made it: where its endpoints are, who may log in.
// What it does not have is left out, and then it takes no part in that scenario.

import { setTimeout as delay } from 'node:timers/promises'
import { forEachConnection, readMember, refreshChain, repeat, takeOnce } from '../load/chains.ts'
import { type Chain, runLoad } from '../load/closed-loop.ts'
import { formRequest, getRequest } from '../load/http-connection.ts'
import { describeLoad, type HttpServer, overHttp, type Participant } from '../participant.ts'
import { PASSWORD } from '../programs/argon2-cost.ts'
import type { ScenarioName } from '../scenarios.ts'

type Fields = Readonly<Record<string, string>>

export interface TokenServer extends HttpServer {
  readonly usernames: readonly string[]
  /** The public client that users log in with, and the confidential one. */
  readonly app: Fields
  readonly service: Fields
  readonly introspectPath?: string
  readonly revokePath?: string
  readonly verifyPath?: string
  readonly jwksPath?: string
  readonly metadataPath?: string
  /** More parameters of a grant whose access token is to be introspected or revoked. */
  readonly checkedGrant?: Fields
}

export type Participants = Partial<Record<ScenarioName, Participant>>

const TOKEN = '/token'
/** More than any of the servers takes in a second. */
const FRESH_TOKENS_PER_SECOND = 4_000
/** What a full queue may answer; a flood goes on. */
const FLOOD_STATUSES = new Set([200, 429, 503])
const FLOOD_RISE_MS = 200
const LOGIN_CONNECTIONS = 4

export function listParticipants(server: TokenServer): Participants {
  const { introspectPath, revokePath, verifyPath, jwksPath, metadataPath, checkedGrant } = server
  const logins = once(() => logInEach(server))
  const checkedLogins = checkedGrant ? once(() => logInEach(server, checkedGrant)) : logins
  const document = (path: string) =>
    overHttp(server, () => forEachConnection(() => repeat(getRequest(path))))
  const grant = formRequest(TOKEN, { grant_type: 'client_credentials', ...server.service })
  const refresh = overHttp(
    server,
    once(async () => refreshChains(server, await logins())),
  )
  return {
    refresh,
    'client-credentials': overHttp(server, () => forEachConnection(() => repeat(grant))),
    ...(introspectPath && {
      introspect: overHttp(server, async () =>
        showTokens(await checkedLogins(), (token) =>
          formRequest(introspectPath, { ...server.service, token }),
        ),
      ),
    }),
    ...(verifyPath && {
      verify: overHttp(server, async () =>
        showTokens(await logins(), (token) => getRequest(verifyPath, token)),
      ),
    }),
    ...(introspectPath && { 'introspect-once': withFreshTokens(server, introspectPath) }),
    ...(revokePath && { revoke: withFreshTokens(server, revokePath) }),
    ...(jwksPath && { jwks: document(jwksPath) }),
    ...(metadataPath && { metadata: document(metadataPath) }),
    // As many as keep the hashing busy: what more of them measure is the queue.
    login: overHttp(server, () => loginChains(server).slice(0, LOGIN_CONNECTIONS)),
    flood: refreshInFlood(server, refresh),
  }
}

/** One request; the answer's body. */
export async function ask(port: number, request: string): Promise<string> {
  let answer = ''
  let isSent = false
  const chain: Chain = {
    next: () => (isSent ? undefined : request),
    answered: (body) => {
      isSent = true
      answer = body
    },
  }
  await runLoad({ port, chains: [chain] })
  return answer
}

function loginFields(server: TokenServer, index: number): Fields {
  const username = server.usernames[index % server.usernames.length] ?? ''
  return { grant_type: 'password', ...server.app, username, password: PASSWORD }
}

function loginChains(server: TokenServer): Chain[] {
  let logins = 0
  return forEachConnection(() => ({
    next: () => formRequest(TOKEN, loginFields(server, logins++)),
  }))
}

/** The answers of one login for each connection, each of another user. */
async function logInEach(server: TokenServer, more: Fields = {}): Promise<string[]> {
  const answers: string[] = []
  for (const [index] of forEachConnection(() => ({ next: () => '' })).entries()) {
    const request = formRequest(TOKEN, { ...loginFields(server, index), ...more })
    answers.push(await ask(server.port, request))
  }
  return answers
}

function refreshChains(server: TokenServer, logins: readonly string[]): Chain[] {
  const fields = { grant_type: 'refresh_token', ...server.app }
  return logins.map((answer) => refreshChain(TOKEN, fields, readMember(answer, 'refresh_token')))
}

/** Each connection shows one user's token again and again, as the callers of an API do. */
function showTokens(
  logins: readonly string[],
  makeRequest: (accessToken: string) => string,
): Chain[] {
  return logins.map((answer) => repeat(makeRequest(readMember(answer, 'access_token'))))
}

/** Each request shows another access token, issued before the measurement begins. */
function withFreshTokens(server: TokenServer, path: string): Participant {
  const grant = { grant_type: 'client_credentials', ...server.service, ...server.checkedGrant }
  return overHttp(server, async (seconds) => {
    const count = Math.ceil(FRESH_TOKENS_PER_SECOND * seconds)
    const request = formRequest(TOKEN, grant)
    const tokens: string[] = []
    const collect = (chain: Chain): Chain => ({
      ...chain,
      answered: (body) => void tokens.push(readMember(body, 'access_token')),
    })
    const chains = takeOnce(Array.from({ length: count }, () => request)).map(collect)
    await runLoad({ port: server.port, chains })
    return takeOnce(tokens.map((token) => formRequest(path, { ...server.service, token })))
  })
}

/** Refreshes alone, then beside as many connections that log in as fast as they are let. */
function refreshInFlood(server: TokenServer, refresh: Participant): Participant {
  return {
    process: server.process,
    async measure(seconds) {
      const alone = await refresh.measure(seconds)
      let isOver = false
      const flood = runLoad({
        port: server.port,
        chains: loginChains(server),
        isOver: () => isOver,
        statuses: FLOOD_STATUSES,
      })
      // Whatever fails first is what the run says.
      flood.catch(() => {})
      await delay(FLOOD_RISE_MS)
      const flooded = await refresh.measure(seconds)
      isOver = true
      const logins = await flood
      const count = logins.statuses.get(200) ?? 0
      return {
        perSecond: flooded.perSecond ?? Number.NaN,
        p50Ms: flooded.p50Ms ?? Number.NaN,
        p99Ms: flooded.p99Ms ?? Number.NaN,
        alonePerSecond: alone.perSecond ?? Number.NaN,
        aloneP99Ms: alone.p99Ms ?? Number.NaN,
        p99Ratio: (flooded.p99Ms ?? Number.NaN) / (alone.p99Ms ?? Number.NaN),
        loginsPerSecond: count / logins.seconds,
        loginP99Ms: describeLoad(logins).p99Ms ?? Number.NaN,
        refusedLoginsPerSecond: (logins.latenciesMs.length - count) / logins.seconds,
      }
    },
  }
}

/** Made at the first call and kept, since the chains of a refresh go on where they are. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
