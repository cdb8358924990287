// Requests that show what looks like a token of ours and is none, each another one, at every endpoint that
// reads tokens.

import { createHash } from 'node:crypto'

export interface GarbageRequest {
  readonly path: string
  /** Sent as a form; undefined for a GET. */
  readonly form?: Readonly<Record<string, string>>
  readonly bearer?: string
  /** What it is answered. */
  readonly status: number
}

/** What a stranger may have seen, and what asks for him. */
export interface Known {
  readonly accessToken: string
  readonly refreshToken: string
  readonly publicId: string
  readonly confidential: { readonly client_id: string; readonly client_secret: string }
}

const ACCESS_KINDS: readonly ((known: Known, number: number) => string)[] = [
  (_, number) => `garbage-${number}`,
  // Signed by nobody, under a key that there is.
  ({ accessToken }, number) => {
    const [header, payload] = accessToken.split('.')
    return [header, payload, bytesOf(number, 64)].join('.')
  },
  // A good signature of something else.
  ({ accessToken }, number) => {
    const [header, payload = '', signature] = accessToken.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const changed = JSON.stringify({ ...claims, jti: `garbage-${number}` })
    return [header, Buffer.from(changed).toString('base64url'), signature].join('.')
  },
]
const REFRESH_KINDS: readonly ((known: Known, number: number) => string)[] = [
  (_, number) => `lrt_${number}`,
  (_, number) => `lrt_${bytesOf(number, 70)}A`.slice(0, 98),
  // All of a good one but its MAC.
  ({ refreshToken }, number) => {
    const bytes = Buffer.from(refreshToken.slice(4), 'base64url')
    const mac = createHash('sha256').update(`mac ${number}`).digest().subarray(0, 16)
    return `lrt_${Buffer.concat([bytes.subarray(0, -16), mac]).toString('base64url')}`
  },
]

/** The same one for the same number. */
export function garbageRequest(known: Known, number: number): GarbageRequest {
  const kind = Math.floor(number / 6) % 3
  const access = ACCESS_KINDS[kind]?.(known, number) ?? ''
  const refresh = REFRESH_KINDS[kind]?.(known, number) ?? ''
  const { publicId, confidential } = known
  const places: readonly GarbageRequest[] = [
    { path: '/verify', bearer: access, status: 401 },
    { path: '/users/me', bearer: access, status: 401 },
    { path: '/introspect', form: { ...confidential, token: access }, status: 200 },
    { path: '/introspect', form: { ...confidential, token: refresh }, status: 200 },
    {
      path: '/token',
      form: { grant_type: 'refresh_token', client_id: publicId, refresh_token: refresh },
      status: 400,
    },
    { path: '/revoke', form: { client_id: publicId, token: refresh }, status: 200 },
  ]
  const place = places[number % places.length]
  if (!place) throw new Error('there are places')
  return place
}

function bytesOf(number: number, count: number): string {
  const blocks = Array.from({ length: Math.ceil(count / 32) }, (_, block) =>
    createHash('sha256').update(`${number} ${block}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, count).toString('base64url')
}
