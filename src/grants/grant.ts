// What a grant is: a name on the wire, the request that it reads of a form, and how it issues. What
// each one is handed besides stands here too.

import type { LoadClass } from '../admission/load-class.ts'
import type { Client } from '../clients/client.ts'
import type { ProvedLogin, SecondStepAttempt } from '../factors/prove-factor.ts'
import type { Families } from '../families/families.ts'
import type { RotateOutcome } from '../families/family.ts'
import type { Confirmation } from '../oauth/confirmation.ts'
import type { Parameters } from '../oauth/parameters.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { TokenChecker } from '../tokens/check-access-token.ts'
import type { TokenMint } from '../tokens/token-mint.ts'
import type { TrustServices } from '../trust/use-trusted-token.ts'
import type { UserRecord } from '../users/user.ts'
import type { UserStore } from '../users/user-store.ts'

/** Where a request came from, as far as the trusted proxies vouch for it. */
export interface Source {
  readonly ip: string
  /** At most 256 characters; empty when there was none. */
  readonly userAgent: string
  readonly requestId: string
}

export interface GrantContext {
  /** Authenticated, and allowed to use this grant. */
  readonly client: Client
  readonly source: Source
  /**
   * What the sender has shown to hold, to which the tokens are bound. Uses up the proof of it, once however
   * often it is asked for: a grant asks when all is right that it can tell without a change, so that nobody
   * fills the store of used proofs with guesses. Throws OAuthError for a proof that was used before, or
   * rejects with DependencyUnavailable. A promise only where there is something to wait for.
   */
  readonly confirm: () => Confirmation | undefined | Promise<Confirmation>
  /** A signal that aborts when the caller hangs up; made on demand, because few grants wait. */
  readonly callerSignal: () => AbortSignal
}

/** A right password of an active user. */
export interface CheckedPassword {
  readonly record: UserRecord
  /** Whether the login needs a second step. */
  readonly hasFactor: boolean
}

/** The parts of the service that grants work with; each takes what it names. */
export interface GrantServices {
  /** Does the same work and gives the same answer for every refusal (docs/semantics.md §7). */
  readonly login: (
    credentials: { identifier: string; password: string; signal: AbortSignal },
    source: Source,
  ) => Promise<CheckedPassword>
  /** The second step of a login; gives the same answer for every refusal. */
  readonly proveFactor: (attempt: SecondStepAttempt) => Promise<ProvedLogin>
  readonly families: Families
  /** Whether a token of ours is good now; undefined for any other text. One question to the store. */
  readonly checkToken: TokenChecker['check']
  readonly users: Pick<UserStore, 'findForLogin' | 'findCredentials'>
  readonly trust: TrustServices
  readonly tokens: Pick<TokenMint, 'sign'>
  readonly rootSecrets: RootSecrets
  readonly issuer: string
  readonly defaultAudience: string
  readonly clock: Clock
  readonly recordEvent: RecordEvent
  /** Told once of every refresh whose token was looked at: what the store said of it, in one word. */
  readonly onRefresh: (outcome: RefreshOutcome) => void
}

/** `behind` is a rotation that caught the store up; `invalid` a string that is no token of ours. */
export type RefreshOutcome =
  | Exclude<RotateOutcome['outcome'], 'user_stale'>
  | 'behind'
  | 'invalid'
  | 'unavailable'

/** What a grant hands out; whether in the body or in a cookie, the endpoint decides. */
export interface IssuedTokens {
  readonly accessToken: string
  /** Seconds from now until the access token's `exp`. */
  readonly expiresInSeconds: number
  readonly scope: readonly string[]
  readonly refreshToken: IssuedRefreshToken | undefined
  /** What an exchange answers besides (RFC 8693 §2.2.1). */
  readonly issuedTokenType?: string
}

export interface IssuedRefreshToken {
  readonly token: string
  /** Seconds from now until the family expires unless it is used. */
  readonly expiresInSeconds: number
  /** Seconds from now until the family expires however much it is used. */
  readonly authorizationExpiresInSeconds: number
}

interface GrantFacts {
  /** The value of `grant_type`. */
  readonly name: string
  /** What clients list in `grantTypes` to use it: its own name, or that of the grant before it. */
  readonly listedAs: string
  /** When it is given up, where more is asked for than can be done. */
  readonly loadClass: LoadClass
  /** Whether public clients may neither list nor use it. */
  readonly confidentialOnly: boolean
  /** Whether the metadata names it only while a client lists it: nobody new is to begin with it. */
  readonly isDeprecated: boolean
}

/** A grant as its own file has it; `Name` are its parameters, `Request` what it makes of them. */
export interface GrantDefinition<Name extends string, Request> extends GrantFacts {
  /** What it reads besides `scope` and `resource`. Every OAuth endpoint refuses them in a URL. */
  readonly parameters: readonly Name[]
  /** Called before the client is authenticated, so it does no I/O; throws `invalid_request`. */
  readonly parse: (form: Parameters<Name | 'scope'>) => Request
  /** Throws OAuthError, or rejects with DependencyUnavailable. */
  readonly issue: (
    request: Request,
    context: GrantContext,
    services: GrantServices,
  ) => IssuedTokens | Promise<IssuedTokens>
}

/** Issues what one request that was read asks for. */
export type Issue = (
  context: GrantContext,
  services: GrantServices,
) => IssuedTokens | Promise<IssuedTokens>

/** A grant as others see it, whatever its request looks like. */
export interface Grant extends GrantFacts {
  readonly parameters: readonly string[]
  /** Reads the request; throws `invalid_request`. */
  readonly read: (form: Parameters) => Issue
}

/** Ties `issue` to what `parse` returns, so that grants of different requests fit into one list. */
export function defineGrant<const Name extends string, Request>(
  definition: GrantDefinition<Name, Request>,
): Grant {
  const { parse, issue, ...facts } = definition
  return {
    ...facts,
    read(form) {
      const request = parse(form)
      return (context, services) => issue(request, context, services)
    },
  }
}
