// One look at the keys that an issuer publishes (RFC 7517): in time, of bounded size, without a redirect.

import type { JWK } from 'jose'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface PublishedKeys {
  readonly keys: readonly JWK[]
  /** What the answer says of its life; undefined where it says nothing. */
  readonly maxAgeSeconds: number | undefined
}

const MAX_BYTES = 262_144
const KEYS_MAX = 100
/** What only a private or a shared key has. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Throws what `fetch` throws, and Error where that is no key set. */
export async function fetchKeySet(
  url: string,
  fetch: Fetch,
  timeoutMs: number,
): Promise<PublishedKeys> {
  const signal = AbortSignal.timeout(timeoutMs)
  return await endedBy(signal, readKeySet(await endedBy(signal, fetch(url, requestInit(signal)))))
}

function requestInit(signal: AbortSignal): RequestInit {
  return { signal, redirect: 'manual', headers: { accept: 'application/json' } }
}

/** A `fetch` that ignores its signal is given up all the same. */
async function endedBy<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const waiting = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    const end = () => reject(signal.reason)
    if (signal.aborted) end()
    signal.addEventListener('abort', end, { once: true, signal: waiting.signal })
  })
  try {
    return await Promise.race([work, ended])
  } finally {
    waiting.abort()
    work.catch(() => {})
    ended.catch(() => {})
  }
}

async function readKeySet(response: Response): Promise<PublishedKeys> {
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`the keys were answered with ${response.status}`)
  }
  const { keys } = JSON.parse(await readBounded(response)) as { keys?: unknown }
  if (!Array.isArray(keys) || keys.length > KEYS_MAX) throw new Error('that is no set of keys')
  return {
    keys: keys.filter((key): key is JWK => isPublicKey(key)),
    maxAgeSeconds: readMaxAge(response.headers),
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Left early, the loop cancels what is still to come.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new Error('the keys are too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** For signatures; a key that is not as it should be is as good as none. */
function isPublicKey(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return false
  const { kty, use, kid } = key as JWK
  if (typeof kty !== 'string' || PRIVATE_MEMBERS.some((member) => member in key)) return false
  return (kid === undefined || typeof kid === 'string') && (use === undefined || use === 'sig')
}

function readMaxAge(headers: Headers): number | undefined {
  for (const directive of (headers.get('cache-control') ?? '').split(',')) {
    const [name, value] = directive.trim().toLowerCase().split('=')
    const seconds = Number(value)
    if (name === 'max-age' && value && Number.isFinite(seconds)) return Math.max(0, seconds)
  }
  return undefined
}
