// The service under test as the checks see it: its metadata, its endpoints, the clients and the user
// that somebody gave us, and the few calls that nearly every check makes. Nothing of Lineage's own
// is known here beyond what the standards say.

import type { JWTPayload } from 'jose'
import { addClient, chooseAuthMethods, findLoginClient, requestLogin } from './client-login.ts'
import { CheckFailure, NotApplicable } from './conformance-check.ts'
import type { Credentials, TestedClient } from './credentials.ts'
import { type Answer, type Exchange, exchange, type HeaderList } from './http-exchange.ts'
import { fetchMetadata } from './issuer-metadata.ts'
import { type FetchedKeys, fetchKeys, verifyByKeys } from './published-keys.ts'

export type Metadata = Readonly<Record<string, unknown>>
export type EndpointName = 'token' | 'revocation' | 'introspection'
/** Undefined members are left out. */
export type Parameters = Readonly<Record<string, string | undefined>>

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
  readonly answer: Answer
  readonly client: TestedClient
}

export interface TestedService {
  /** As it was given: what the metadata must repeat to the letter. */
  readonly issuer: string
  readonly metadata: Metadata
  readonly metadataAnswer: Answer
  readonly credentials: Credentials
  /** Whether checks may send hundreds of requests and lock accounts. */
  readonly flood: boolean
  /** A resource that takes the service's access tokens as bearer tokens. */
  readonly resourceUrl: string | undefined

  /** The URL of an endpoint; undefined when the metadata names none. */
  endpoint(name: EndpointName): string | undefined
  send(url: string, request: Exchange): Promise<Answer>
  /** How many answers were 429 so far. */
  countThrottled(): number
  /**
   * POSTs a form as a client, by its own method, or as nobody. Throws NotApplicable when the metadata
   * names no such endpoint.
   */
  post(
    name: EndpointName,
    parameters: Parameters,
    client: TestedClient | undefined,
    headers?: HeaderList,
  ): Promise<Answer>
  /**
   * A token of the confidential client's own. Throws NotApplicable when it may have none,
   * CheckFailure when it gets none.
   */
  issueToClient(parameters?: Parameters): Promise<Answer>
  /** The first client that may log the user in. Throws NotApplicable when there is none. */
  findLoginClient(): Promise<TestedClient>
  /**
   * A fresh login of the user at the client, by default the first that may. Throws NotApplicable when
   * there is none or this one may not, CheckFailure when no refresh token comes of it.
   */
  logIn(client?: TestedClient, parameters?: Parameters): Promise<Tokens>
  refresh(tokens: Tokens, parameters?: Parameters): Promise<Answer>
  revoke(token: string, client: TestedClient): Promise<Answer>
  /** As the token's own client where that is confidential, else as the confidential client. */
  introspect(token: string, client?: TestedClient): Promise<Answer>
  /** Throws NotApplicable when the metadata names none, CheckFailure when there are none. */
  fetchJwks(): Promise<FetchedKeys>
  /** The claims of a JWT that one of the published keys signed; throws CheckFailure. */
  verify(jwt: string): Promise<JWTPayload>
}

export interface TestedServiceOptions {
  readonly issuer: string
  readonly credentials: Credentials
  readonly flood?: boolean
  readonly resourceUrl?: string
}

/** Reads the metadata. Rejects with an Error when there is none to be had. */
export async function openTestedService(options: TestedServiceOptions): Promise<TestedService> {
  const { issuer, flood = false, resourceUrl } = options
  const metadataAnswer = await fetchMetadata(issuer)
  const metadata = metadataAnswer.json
  const methods = metadata.token_endpoint_auth_methods_supported
  const credentials = chooseAuthMethods(options.credentials, methods)
  let loginClient: Promise<TestedClient> | undefined

  let throttled = 0
  const send: typeof exchange = async (url, request) => {
    const answer = await exchange(url, request)
    if (answer.status === 429) throttled += 1
    return answer
  }

  const service: TestedService = {
    issuer,
    metadata,
    metadataAnswer,
    credentials,
    flood,
    resourceUrl,
    endpoint: (name) => textOf(metadata[`${name}_endpoint`]),
    send,
    countThrottled: () => throttled,

    async post(name, parameters, client, headers = []) {
      const url = service.endpoint(name)
      if (!url) throw new NotApplicable(`the metadata names no ${name} endpoint`)
      const form = new URLSearchParams()
      for (const [key, value] of Object.entries(parameters)) {
        if (value !== undefined) form.set(key, value)
      }
      const all: [string, string][] = [['Content-Type', 'application/x-www-form-urlencoded']]
      if (client) addClient(client, form, all)
      return await send(url, { body: form.toString(), headers: [...all, ...headers] })
    },

    async issueToClient(parameters = {}) {
      const client = credentials.confidentialClient
      if (!client) throw new NotApplicable('no confidential client was given')
      const answer = await service.post(
        'token',
        { grant_type: 'client_credentials', ...parameters },
        client,
      )
      refuseUnauthorized(answer, 'the confidential client', 'client_credentials')
      if (answer.status !== 200) {
        throw new CheckFailure(`client_credentials was refused: ${describeAnswer(answer)}`)
      }
      return answer
    },

    findLoginClient() {
      loginClient ??= findLoginClient(service)
      return loginClient
    },

    async logIn(given, parameters = {}) {
      const client = given ?? (await service.findLoginClient())
      const answer = await requestLogin(service, client, parameters)
      refuseUnauthorized(answer, 'the client', 'password')
      const { access_token: accessToken, refresh_token: refreshToken } = answer.json
      if (answer.status !== 200 || typeof accessToken !== 'string') {
        throw new CheckFailure(`the login was refused: ${describeAnswer(answer)}`)
      }
      if (typeof refreshToken !== 'string') throw new CheckFailure('a login gave no refresh token')
      return { accessToken, refreshToken, answer, client }
    },

    refresh: ({ refreshToken, client }, parameters = {}) =>
      service.post(
        'token',
        { grant_type: 'refresh_token', refresh_token: refreshToken, ...parameters },
        client,
      ),

    revoke: (token, client) => service.post('revocation', { token }, client),

    async introspect(token, given) {
      const client = given ?? credentials.confidentialClient
      if (!client) throw new NotApplicable('no confidential client was given')
      return await service.post('introspection', { token }, client)
    },

    fetchJwks: () => fetchKeys(metadata.jwks_uri),
    verify: async (jwt) => await verifyByKeys(jwt, await service.fetchJwks()),
  }
  return service
}

/** Throws NotApplicable where the service throttles, or does not let this client use the grant. */
function refuseUnauthorized({ json, status }: Answer, who: string, grantType: string): void {
  if (status === 429) throw new NotApplicable(`the grant ${grantType} is throttled`)
  if (json.error === 'unauthorized_client') {
    throw new NotApplicable(`${who} may not use the grant ${grantType}`)
  }
}

/** What an answer said, without any token: its status and its error code. */
export function describeAnswer({ status, json }: Answer): string {
  const code = textOf(json.error)
  if (code === undefined) return `status ${status}`
  return /^[\w.:-]{1,64}$/.test(code) ? `${status} ${code}` : `${status} and no readable error code`
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
