// Access tokens for a service that calls others in its own name (RFC 6749 §4.4): one token for all
// calls, renewed shortly before it expires, by one request whoever waits for it.

const TIMEOUT_MS = 5_000
/** How soon a renewal that failed is tried again while the old token is still good. */
const RETRY_MS = 1_000

/**
 * `readSecret` is asked before every request for a token, so that a new secret needs no restart.
 * `scope` and `resource` may be undefined: then the client's own defaults apply.
 */
export function openTokenSource({ issuer, clientId, readSecret, scope, resource }) {
  let current = { token: '', renewAtMs: 0, expiresAtMs: 0 }
  let renewal

  async function renew() {
    // Its life is counted from before it began, so that it never ends later than we believe.
    const askedAtMs = Date.now()
    const { access_token: token, expires_in: seconds } = await requestToken()
    // At a moment that differs from one instance to the next, so that they do not all ask at once.
    const share = 0.75 + 0.1 * Math.random()
    current = {
      token,
      renewAtMs: askedAtMs + seconds * 1000 * share,
      expiresAtMs: askedAtMs + seconds * 1000,
    }
  }

  async function requestToken() {
    // RFC 6749 §2.3.1: both are form-encoded before they are joined.
    const pair = [clientId, await readSecret()].map(encodeURIComponent).join(':')
    const wanted = { grant_type: 'client_credentials', scope, resource }
    const answer = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
      body: new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== undefined)),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const body = await answer.json()
    if (!answer.ok) throw new Error(`no access token: ${answer.status} ${body.error}`)
    return body
  }

  async function getToken() {
    if (Date.now() < current.renewAtMs) return current.token
    renewal ??= renew().finally(() => {
      renewal = undefined
    })
    try {
      await renewal
    } catch (error) {
      // It is renewed early for this: Lineage may be away for a moment.
      if (Date.now() >= current.expiresAtMs) throw error
      current.renewAtMs = Date.now() + RETRY_MS
    }
    return current.token
  }

  function send(url, init, token) {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${token}`)
    return fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), ...init, headers })
  }

  return {
    /**
     * `fetch` with the token. A 401 may mean that the key which signed it is gone: one more attempt
     * is made with a new one, so a body must be something that can be sent twice.
     */
    async fetch(url, init = {}) {
      const token = await getToken()
      const answer = await send(url, init, token)
      if (answer.status !== 401) return answer
      await answer.body?.cancel()
      // Unless another call has replaced it meanwhile.
      if (current.token === token) current = { token: '', renewAtMs: 0, expiresAtMs: 0 }
      return await send(url, init, await getToken())
    },
  }
}
