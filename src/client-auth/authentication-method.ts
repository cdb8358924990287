// What a client authentication method is: how a request is recognised as using it, what it reads
// there, and how that proves the client.

import type { IncomingHttpHeaders } from 'node:http'
import type { RemoteKeys } from '../assertions/remote-keys.ts'
import type { Presented } from '../certificates/client-certificate.ts'
import type { Client } from '../clients/client.ts'
import type { ClientKeySettings } from '../clients/client-keys.ts'
import type { ClientTable } from '../clients/client-table.ts'
import type { OAuthReason } from '../oauth/oauth-error.ts'
import type { Parameters } from '../oauth/parameters.ts'
import type { SingleUse } from '../replay/single-use.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Throttle } from '../throttle/throttle.ts'
import type { TrustServices } from '../trust/use-trusted-token.ts'

/** Where a request comes from, and under which id the log has it. */
export interface Sender {
  readonly ip: string
  readonly requestId?: string | undefined
}

/** The parts of a request in which a client may name itself. */
export interface ClientForm {
  readonly headers: Pick<IncomingHttpHeaders, 'authorization'>
  readonly form: Parameters
}

export interface ClientRequest extends ClientForm {
  /** What the connection, or the proxy before it, has shown. Asked only by who needs it. */
  readonly certificate: () => Presented
}

/** The parts of the service that methods work with; each takes what it names. */
export interface ClientAuthServices {
  readonly clients: Pick<ClientTable, 'find'>
  readonly throttle: Pick<Throttle, 'failed'>
  readonly assertions: AssertionServices
  readonly clock: Clock
  readonly trust: TrustServices
}

/** What assertions are checked with, whoever has signed them. */
export interface AssertionServices {
  /** What an assertion has to be for, and nothing else besides. */
  readonly audiences: readonly string[]
  readonly remoteKeys: RemoteKeys
  readonly singleUse: SingleUse
  readonly clock: Clock
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
  /** What a client that lists the method has to have besides, in words; undefined when it is there. */
  readonly findLack?: (client: ClientKeySettings) => string | undefined
  /** The scheme of `Authorization` that announces it, in lower case. */
  readonly scheme?: string
  /** Or the parameter of the form that does. In a URL it is refused at every OAuth endpoint. */
  readonly parameter?: string
  /**
   * Or nothing in the request does, because the certificate comes with the connection: a client that only
   * names itself is asked for it where it lists the method (RFC 8705 §2).
   */
  readonly byCertificate?: true
  /**
   * What was sent, never whether it is right; throws OAuthError `invalid_client`. Undefined where it is
   * for another method with the same parameter.
   */
  readonly read: (request: ClientForm) => PresentedClient | undefined
  /**
   * Why the proof is refused; undefined when it holds. Asked for an unknown client too, and for one
   * that does not list the method, and takes as long then. Rejects with DependencyUnavailable.
   */
  readonly authenticate: (
    proof: string,
    client: Client | undefined,
    services: ClientAuthServices,
    request: ClientRequest,
    senderOf: () => Sender,
  ) => OAuthReason | undefined | Promise<OAuthReason | undefined>
}
