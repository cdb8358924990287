// The verifier as a middleware of Express, which is known here by what it looks like alone.

import type { HookOptions } from './fastify-hook.ts'
import { type NodeRequest, presentRequest } from './presented-request.ts'
import type { Authorized, Verifier } from './verifier.ts'

export interface ExpressResponseLike {
  readonly locals: Record<string, unknown>
  status(code: number): ExpressResponseLike
  set(headers: Record<string, string>): ExpressResponseLike
  json(body: unknown): unknown
}

/** Before any parser of bodies. The claims of who may pass are in `response.locals.claims`. */
export function createExpressMiddleware(
  verifier: Verifier,
  { scope = '', onRefusal, ...view }: HookOptions = {},
): (
  request: NodeRequest,
  response: ExpressResponseLike,
  next: (error?: unknown) => void,
) => Promise<void> {
  return async (request, response, next) => {
    let authorized: Authorized
    try {
      authorized = await verifier.authorize(presentRequest(request, view), { scope })
    } catch (error) {
      return next(error)
    }
    if (authorized.ok) {
      response.set({ ...authorized.headers }).locals.claims = authorized.claims
      return next()
    }
    const { status, headers, error } = authorized.refusal
    onRefusal?.(authorized.refusal)
    response
      .status(status)
      .set({ ...headers })
      .json({ error })
  }
}
