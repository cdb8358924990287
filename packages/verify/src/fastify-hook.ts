// The verifier as a hook of Fastify, which is known here by what it looks like alone.

import type { AccessTokenClaims } from './access-token-claims.ts'
import { type NodeRequest, presentRequest, type RequestView } from './presented-request.ts'
import type { Refusal } from './refusal.ts'
import type { Verifier } from './verifier.ts'

export interface HookOptions extends RequestView {
  /** What the route needs; several with blanks. */
  readonly scope?: string
  /** Told of every refusal, with the reason that the caller is not told. */
  readonly onRefusal?: (refusal: Refusal) => void
}

export interface FastifyRequestLike {
  readonly raw: NodeRequest
  readonly originalUrl?: string
}

export interface FastifyReplyLike {
  code(status: number): unknown
  header(name: string, value: string): unknown
  send(body: unknown): unknown
}

/**
 * For `onRequest`, before a body is read. The claims of who may pass are in `request.claims`: say
 * `app.decorateRequest('claims', null)` once.
 */
export function createFastifyHook(
  verifier: Verifier,
  { scope = '', onRefusal, ...view }: HookOptions = {},
): (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown> {
  return async (request, reply) => {
    const { raw, originalUrl = raw.url ?? '/' } = request
    const { method, headers, socket } = raw
    const seen = { method, originalUrl, headers, ...(socket ? { socket } : {}) }
    const authorized = await verifier.authorize(presentRequest(seen, view), { scope })
    const answer = authorized.ok ? authorized : authorized.refusal
    for (const [name, value] of Object.entries(answer.headers)) reply.header(name, value)
    if (authorized.ok) {
      const decorated = request as FastifyRequestLike & { claims: AccessTokenClaims }
      decorated.claims = authorized.claims
      return undefined
    }
    const { refusal } = authorized
    onRefusal?.(refusal)
    reply.code(refusal.status)
    return await reply.send({ error: refusal.error })
  }
}
