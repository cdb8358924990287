// A caller's access token in exchange for one that the next service takes (RFC 8693): about the same
// person, and with this service named as the one who acts.

const TIMEOUT_MS = 5_000
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** The caller's token was not taken: whoever sent it has to come with another one. */
export class TokenRefused extends Error {}

/** `readSecret` is asked before every exchange, so that a new secret needs no restart. */
export function openExchange({ issuer, clientId, readSecret, audience, scope }) {
  return async function exchange(subjectToken) {
    // RFC 6749 §2.3.1: both are form-encoded before they are joined.
    const pair = [clientId, await readSecret()].map(encodeURIComponent).join(':')
    const wanted = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: subjectToken,
      subject_token_type: ACCESS_TOKEN,
      audience,
      scope,
    }
    const answer = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
      body: new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== undefined)),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const body = await answer.json()
    if (answer.ok) return body.access_token
    // RFC 8693 §2.2.2: what is wrong with the token is told by this code.
    if (body.error === 'invalid_request') throw new TokenRefused()
    throw new Error(`no exchange: ${answer.status} ${body.error}`)
  }
}
