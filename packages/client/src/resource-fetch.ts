// Requests to an API with the token of a source (RFC 6750 §2.1, RFC 9449 §7.1).

import type { Fetch } from './bounded-exchange.ts'
import type { DpopProver } from './dpop-prover.ts'
import type { IssuedToken } from './issued-token.ts'
import { requireSecureUrl } from './secure-url.ts'

/** `token` names another scope or resource than those of the source. */
export interface ResourceInit extends RequestInit {
  readonly token?: WantedToken
}

export interface WantedToken {
  readonly scope?: string
  readonly resource?: string | readonly string[]
}

export type ResourceFetch = (url: string | URL, init?: ResourceInit) => Promise<Response>

export interface ResourceSettings {
  readonly prover: DpopProver | undefined
  readonly fetch: Fetch | undefined
  readonly allowInsecureHttp: boolean
  getToken(wanted: WantedToken, signal: AbortSignal | undefined): Promise<IssuedToken>
  discard(wanted: WantedToken, token: IssuedToken): boolean
}

/** Of a request whose caller gives no signal. */
const TIMEOUT_MS = 30_000

export function createResourceFetch(settings: ResourceSettings): ResourceFetch {
  const { prover, getToken, discard, allowInsecureHttp } = settings
  const send: Fetch = settings.fetch ?? ((url, init) => globalThis.fetch(url, init))

  async function call(url: URL, init: RequestInit, token: IssuedToken): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('authorization', `${token.tokenType} ${token.accessToken}`)
    if (prover) {
      const { method = 'GET' } = init
      const target = { method: method.toUpperCase(), url: url.href, accessToken: token.accessToken }
      headers.set('dpop', await prover.prove(target))
    }
    // A redirect would carry the token or the proof to where neither is meant for.
    const request = { redirect: 'manual', ...init, headers } as const
    return await send(url.href, {
      ...request,
      signal: init.signal ?? AbortSignal.timeout(TIMEOUT_MS),
    })
  }

  return async (input, { token: wanted = {}, ...init } = {}) => {
    const url = requireSecureUrl(input, allowInsecureHttp)
    const isRepeatable = !(init.body instanceof ReadableStream)
    const again = async (answer: Response, next: IssuedToken) => {
      await answer.body?.cancel()
      return await call(url, init, next)
    }
    const get = () => getToken(wanted, init.signal ?? undefined)

    const token = await get()
    let answer = await call(url, init, token)
    const hasNonce = prover?.learn(url.href, answer.headers) ?? false
    if (hasNonce && isRepeatable && asksForNonce(answer)) {
      answer = await again(answer, token)
      prover?.learn(url.href, answer.headers)
    } else if (answer.status === 401 && isRepeatable && discard(wanted, token)) {
      // The key that signed it may be gone, or somebody has revoked it.
      answer = await again(answer, await get())
      prover?.learn(url.href, answer.headers)
    }
    return answer
  }
}

/** RFC 9449 §9. */
function asksForNonce({ status, headers }: Response): boolean {
  return status === 401 && (headers.get('www-authenticate') ?? '').includes('use_dpop_nonce')
}
