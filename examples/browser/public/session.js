// A signed-in session. The refresh token is in a cookie that no script can read; the access token is
// in this module's memory, and gone when the tab is.

/** Refresh when this much of a token's life is over. */
const REFRESH_AT = 0.8
const RETRY_MS = 2000

/** `onChange(isSignedIn)` is called at every change, also one that another tab has made. */
export function openSession({ issuer, clientId, onChange }) {
  let accessToken
  let timer
  let refreshing
  const tabs = new BroadcastChannel(`session:${clientId}`)
  tabs.onmessage = ({ data }) => {
    if (data === 'signed out') forget()
    else void refresh()
  }

  /** Resolves to the answer's status; 200 has left its access token here. */
  async function askForToken(parameters) {
    const response = await post('/token', parameters)
    if (!response.ok) return response.status
    const { access_token: token, expires_in: seconds } = await response.json()
    const wasSignedIn = accessToken !== undefined
    accessToken = token
    clearTimeout(timer)
    timer = setTimeout(refresh, seconds * REFRESH_AT * 1000)
    if (!wasSignedIn) onChange(true)
    return response.status
  }

  /** `credentials: 'include'` sends the cookie to Lineage, and takes the next one. */
  function post(path, parameters) {
    const body = new URLSearchParams({ client_id: clientId, ...parameters })
    return fetch(issuer + path, { method: 'POST', credentials: 'include', body })
  }

  function forget() {
    clearTimeout(timer)
    const wasSignedIn = accessToken !== undefined
    accessToken = undefined
    if (wasSignedIn) onChange(false)
  }

  /**
   * Once at a time in this tab. Other tabs need no lock: for the grace time Lineage gives every one
   * of them the same successor. Resolves to whether the session is alive.
   */
  function refresh() {
    refreshing ??= askForToken({ grant_type: 'refresh_token' })
      // A dead network says nothing about the session.
      .catch(() => 503)
      .then((status) => {
        if (status === 200) return true
        // 400: there is no session, or no longer one. Anything else passes: try again.
        clearTimeout(timer)
        if (status === 400) forget()
        else timer = setTimeout(refresh, RETRY_MS)
        return false
      })
      .finally(() => {
        refreshing = undefined
      })
    return refreshing
  }

  return {
    refresh,

    /** Resolves to whether the password was right; throws when Lineage cannot say. */
    async logIn(username, password) {
      const status = await askForToken({ grant_type: 'password', username, password })
      if (status === 200) tabs.postMessage('signed in')
      else if (status !== 400) throw new Error(`Lineage answered ${status}`)
      return status === 200
    },

    /** Ends the session everywhere; throws, and stays signed in, when Lineage cannot be reached. */
    async logOut() {
      // Or its answer would sign this tab in again.
      await refreshing
      const response = await post('/revoke')
      if (!response.ok) throw new Error(`Lineage answered ${response.status}`)
      forget()
      tabs.postMessage('signed out')
    },

    /** As `fetch`, with the access token; refreshes once when the API no longer takes it. */
    async fetch(url, init = {}) {
      const send = () => {
        const headers = new Headers(init.headers)
        headers.set('authorization', `Bearer ${accessToken}`)
        return fetch(url, { ...init, headers })
      }
      const response = await send()
      return response.status === 401 && (await refresh()) ? await send() : response
    },
  }
}
