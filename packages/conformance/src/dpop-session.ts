// Token requests with DPoP proofs: which grant they use, and the nonces that a server may ask for
// (RFC 9449 §5, §8).

import { needsMember, needsUser } from './check-needs.ts'
import { expect, type Need, NotApplicable } from './conformance-check.ts'
import type { TestedClient } from './credentials.ts'
import { makeProver, type ProofTarget, type Prover } from './dpop-prover.ts'
import type { Answer, HeaderList } from './http-exchange.ts'
import { needsAnyToken, needsClientToken } from './issued-tokens.ts'
import { describeAnswer, type Parameters, type TestedService, textOf } from './tested-service.ts'

/** Makes the values of the DPoP headers of one request. */
export type MakeProofs = (target: ProofTarget) => Promise<readonly string[]>

export interface DpopSession {
  readonly prover: Prover
  readonly url: string
  /** Whether the server has asked for a nonce so far. */
  asksForNonce(): boolean
  /** A token request; once more with fresh proofs when the server asks for a nonce. */
  request(makeProofs: MakeProofs, grant?: BoundGrant): Promise<Answer>
  /** The same, never repeated. */
  requestOnce(makeProofs: MakeProofs, grant?: BoundGrant): Promise<Answer>
  /** With one good proof. Throws CheckFailure when it is refused. */
  requestToken(): Promise<Answer>
}

export interface BoundGrant {
  readonly parameters: Parameters
  readonly client: TestedClient
}

export const DPOP_NEEDS: readonly Need[] = [
  needsMember('dpop_signing_alg_values_supported'),
  needsAnyToken,
]

/** The algorithms that the metadata lists. */
export function listedAlgs({ metadata }: TestedService): readonly unknown[] {
  const listed = metadata.dpop_signing_alg_values_supported
  return Array.isArray(listed) ? listed : []
}

/** With a key of its own. Throws NotApplicable when no listed algorithm can be used here. */
export async function openDpopSession(
  service: TestedService,
  prover?: Prover,
): Promise<DpopSession> {
  const url = service.endpoint('token') ?? ''
  const ownGrant = chooseGrant(service)
  const ownProver = prover ?? (await makeListedProver(service))
  let nonce: string | undefined

  const session: DpopSession = {
    prover: ownProver,
    url,
    asksForNonce: () => nonce !== undefined,

    async requestOnce(makeProofs, grant = ownGrant) {
      const proofs = await makeProofs({ method: 'POST', url, nonce })
      const headers: HeaderList = proofs.map((proof) => ['DPoP', proof] as const)
      const answer = await service.post('token', grant.parameters, grant.client, headers)
      nonce = textOf(answer.headers['dpop-nonce']) ?? nonce
      return answer
    },

    async request(makeProofs, grant) {
      const answer = await session.requestOnce(makeProofs, grant)
      const isAsking = answer.json.error === 'use_dpop_nonce'
      return isAsking ? await session.requestOnce(makeProofs, grant) : answer
    },

    async requestToken() {
      const answer = await session.request(async (target) => [await ownProver.prove(target)])
      expect(answer.status === 200, `a good proof was answered with ${describeAnswer(answer)}`)
      return answer
    },
  }
  return session
}

function chooseGrant(service: TestedService): BoundGrant {
  const { confidentialClient, publicClient, user, scope } = service.credentials
  if (confidentialClient && needsClientToken(service) === undefined) {
    return { parameters: { grant_type: 'client_credentials' }, client: confidentialClient }
  }
  const client = confidentialClient ?? publicClient
  if (!client || needsUser(service) !== undefined) throw new NotApplicable('no token can be had')
  return { parameters: { grant_type: 'password', ...user, scope }, client }
}

async function makeListedProver(service: TestedService): Promise<Prover> {
  for (const alg of listedAlgs(service)) {
    try {
      return await makeProver(String(alg))
    } catch {
      // jose does not know every algorithm that a server may list.
    }
  }
  throw new NotApplicable('no listed algorithm of proofs is known here')
}
