// The header that brings a DPoP proof, and the one that brings the nonce for the next (RFC 9449 §4.1, §8).

import type { EndpointReply, EndpointRequest } from './endpoint.ts'
import { isRepeated } from './repeated-header.ts'

/** Undefined where the request has none; an empty one is one. */
export function dpopHeaderOf(
  request: Pick<EndpointRequest, 'raw' | 'headers'>,
): { readonly text: string } | 'repeated' | undefined {
  const { dpop } = request.headers
  if (dpop === undefined) return undefined
  // Node joins them by a comma, which no proof has.
  return isRepeated(request, 'dpop') ? 'repeated' : { text: String(dpop) }
}

/** Tells the sender of a proof which nonce is the next, if it has not the newest. */
export function setNonce(
  reply: Pick<EndpointReply, 'header'>,
  { nonce }: { readonly nonce: string | undefined },
): void {
  if (nonce !== undefined) reply.header('dpop-nonce', nonce)
}
