// Platforms that sign for their workloads, each played with the claims that it really writes: Kubernetes,
// GitHub Actions, GitLab, SPIFFE and an OpenID provider.

import { randomUUID } from 'node:crypto'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import type { FederatedIdentity } from '../../src/clients/client-settings.ts'
import type { IssuerKind } from '../../src/trust/trusted-issuer.ts'
import { type HttpTools, ISSUER } from '../support/app.ts'
import { newKey, presentAssertion, type SigningKey, signAssertion } from './assertion-scene.ts'

export interface PlatformToken {
  readonly claims?: object
  readonly header?: object
  readonly key?: SigningKey
}

export interface Platform {
  readonly id: string
  readonly key: SigningKey
  readonly subject: string
  /** A token as the platform makes it, with these members in place of its own. */
  token(more?: PlatformToken): Promise<string>
}

interface Shape {
  readonly issuer: string
  readonly subject: string
  readonly alg: string
  readonly lifeSeconds: number
  readonly header: object
  readonly more: () => object
}

export const POD = '9e6c1ef0-8a3f-4d7b-9d0e-5a1f6b2c3d4e'

const SHAPES: Readonly<Record<IssuerKind, Shape>> = {
  kubernetes: {
    issuer: 'https://kubernetes.default.svc.cluster.local',
    subject: 'system:serviceaccount:jobs:nightly',
    alg: 'RS256',
    lifeSeconds: 3_600,
    header: {},
    more: () => ({
      jti: randomUUID(),
      'kubernetes.io': {
        namespace: 'jobs',
        node: { name: 'node-1', uid: 'b2c3d4e5-0000-4000-8000-000000000001' },
        pod: { name: 'nightly-7d9f', uid: POD },
        serviceaccount: { name: 'nightly', uid: 'c3d4e5f6-0000-4000-8000-000000000002' },
      },
    }),
  },
  github: {
    issuer: 'https://token.actions.githubusercontent.com',
    subject: 'repo:acme/web:ref:refs/heads/main',
    alg: 'RS256',
    lifeSeconds: 300,
    header: { typ: 'JWT', x5t: 'ykNaY4qM_ta4k2TgZOCEYLkcYlA' },
    more: () => ({
      jti: randomUUID(),
      ref: 'refs/heads/main',
      repository: 'acme/web',
      repository_id: '74',
      repository_owner_id: '65',
      run_id: '1234567890',
      workflow_ref: 'acme/web/.github/workflows/deploy.yaml@refs/heads/main',
      event_name: 'push',
    }),
  },
  gitlab: {
    issuer: 'https://gitlab.example.test',
    subject: 'project_path:acme/web:ref_type:branch:ref:main',
    alg: 'RS256',
    lifeSeconds: 3_600,
    header: { typ: 'JWT' },
    more: () => ({
      jti: randomUUID(),
      namespace_id: '72',
      project_id: '20',
      pipeline_source: 'push',
      ref: 'main',
      ref_protected: 'true',
    }),
  },
  spiffe: {
    issuer: 'spiffe://example.org',
    subject: 'spiffe://example.org/ns/jobs/sa/nightly',
    alg: 'ES256',
    lifeSeconds: 300,
    header: { typ: 'JWT' },
    more: () => ({ iss: undefined }),
  },
  oidc: {
    issuer: 'https://idp.example.test/',
    subject: 'service-7',
    alg: 'ES256',
    lifeSeconds: 300,
    header: { typ: 'JWT' },
    more: () => ({ jti: randomUUID() }),
  },
}

/** A platform that nobody trusts yet. */
export function playPlatform(kind: IssuerKind, id: string = kind): Platform {
  const { issuer, subject, alg, lifeSeconds, header, more } = SHAPES[kind]
  const key = newKey(`${id}-1`, alg)
  return {
    id,
    key,
    subject,
    async token(given = {}) {
      const now = Math.floor(Date.now() / 1000)
      const times = { iat: now, nbf: now, exp: now + lifeSeconds }
      const claims = { iss: issuer, sub: subject, aud: [ISSUER], ...times, ...more() }
      const all = { ...header, ...given.header }
      return await signAssertion(given.key ?? key, { ...claims, ...given.claims }, all)
    },
  }
}

/** Trusts it, with its key as it is unless `more` says where it is fetched. */
export async function trustPlatform(
  tools: Pick<HttpTools, 'admin'>,
  kind: IssuerKind,
  more: object = {},
  platform = playPlatform(kind),
): Promise<Platform> {
  const use = kind === 'spiffe' ? { use: 'jwt-svid' } : {}
  const answer = await tools.admin('POST', '/admin/trusted-issuers', {
    id: platform.id,
    kind,
    issuer: SHAPES[kind].issuer,
    ...('jwksUri' in more ? {} : { jwks: { keys: [{ ...platform.key.publicJwk, ...use }] } }),
    ...more,
  })
  if (answer.status !== 201) throw new Error(`no issuer: ${await answer.text()}`)
  return platform
}

/** A client without a secret whose identity is that of the platform. */
export async function makeWorkload(
  tools: Pick<HttpTools, 'makeClient'>,
  platform: Pick<Platform, 'id' | 'subject'>,
  identity: Partial<FederatedIdentity> = {},
  input: Partial<ClientInput> & { id?: string } = {},
): Promise<string> {
  const own = { trustedIssuer: platform.id, subject: platform.subject, ...identity }
  const { id } = await tools.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    authMethods: ['federated_jwt'],
    federatedIdentities: [own],
    ...input,
  })
  return id
}

/** Asks for a token as the client, with the platform's token. */
export async function presentToken(
  tools: Pick<HttpTools, 'form'>,
  clientId: string,
  token: string,
  more: Record<string, string | undefined> = {},
): Promise<Response> {
  return await presentAssertion(tools, token, { client_id: clientId, ...more })
}
