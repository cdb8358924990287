// What the sender of a token request has shown to hold, to which its tokens are bound.

import type { Client } from '../../clients/client.ts'
import type { Confirmation } from '../../oauth/confirmation.ts'
import type { EndpointRequest } from '../server/endpoint.ts'

/** Undefined where it has shown nothing. */
export async function confirmSender(
  _request: EndpointRequest,
  _client: Client,
  _services: object,
): Promise<Confirmation | undefined> {
  return undefined
}
