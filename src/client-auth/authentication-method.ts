// What a client authentication method is: how a request is recognised as using it, what it reads
// there, and how that proves the client.

import type { IncomingHttpHeaders } from 'node:http'
import type { Client } from '../clients/client.ts'
import type { ClientTable } from '../clients/client-table.ts'
import type { OAuthReason } from '../oauth/oauth-error.ts'
import type { Parameters } from '../oauth/parameters.ts'
import type { Throttle } from '../throttle/throttle.ts'

/** The parts of a request in which a client may present itself. */
export interface ClientRequest {
  readonly headers: Pick<IncomingHttpHeaders, 'authorization'>
  readonly form: Parameters
}

/** The parts of the service that methods work with; each takes what it names. */
export interface ClientAuthServices {
  readonly clients: Pick<ClientTable, 'find'>
  readonly throttle: Pick<Throttle, 'failed'>
}

export interface PresentedClient {
  readonly clientId: string
  /** What is to prove it: a secret, an assertion. An empty one is none. */
  readonly proof: string
}

export interface AuthenticationMethod {
  /** The name in metadata (RFC 8414 §2), and what clients list in `authMethods`. */
  readonly method: string
  /**
   * Confidential clients prove themselves, public ones cannot. Only methods with a client secret are
   * given to a confidential client that lists none.
   */
  readonly proof: 'nothing' | 'secret' | 'key'
  /** The scheme of `Authorization` that announces it, in lower case. */
  readonly scheme?: string
  /** Or the parameter of the form that does. In a URL it is refused at every OAuth endpoint. */
  readonly parameter?: string
  /** What was sent, never whether it is right; throws OAuthError `invalid_client`. */
  readonly read: (request: ClientRequest) => PresentedClient
  /**
   * Why the proof is refused; undefined when it holds. Asked for an unknown client too, and for one
   * that does not list the method, and takes as long then. Rejects with DependencyUnavailable.
   */
  readonly authenticate: (
    proof: string,
    client: Client | undefined,
    services: ClientAuthServices,
  ) => OAuthReason | undefined | Promise<OAuthReason | undefined>
}
