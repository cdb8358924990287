// The password grant for oidc-provider, which has none of its own: a custom grant that issues
// tokens by the very function that its built-in grants use, DPoP, certificates and resources included.

import type Provider from 'oidc-provider'
import { errors, type TokenEndpointGrantContext } from 'oidc-provider'

/** Whose password that is, if it is anybody's who may log in. */
export type FindPasswordUser = (
  username: string,
  password: string,
) => Promise<{ readonly id: string } | undefined>

type Context = TokenEndpointGrantContext<{ username?: string; password?: string }>

/** What the package keeps in `lib/helpers`, without types. */
interface GrantHelpers {
  validateDpop(provider: Provider, ctx: Context): Promise<unknown>
  checkMtlsCert(provider: Provider, ctx: Context): unknown
  checkDpopRequired(provider: Provider, ctx: Context, proof: unknown): void
  validateClientScope(provider: Provider, ctx: Context): Set<string>
  resolveRequestedResources(provider: Provider, ctx: Context): Promise<readonly Resource[]>
  [name: string]: unknown
}

interface Resource {
  readonly scopes: Set<string>
  identifier(): string
}

interface GrantCommon {
  issueTokens(
    provider: Provider,
    helpers: object,
    ctx: Context,
    source: object,
    grant: object,
    options: { gty: string; entityLabel: string; cert: unknown; dPoP: unknown },
  ): Promise<void>
}

const FOLDER = 'oidc-provider/lib/helpers'
const PARAMETERS = ['username', 'password', 'scope', 'resource']

export async function registerPasswordGrant(
  provider: Provider,
  findUser: FindPasswordUser,
): Promise<void> {
  const helpers = (await import(`${FOLDER}/grants.js`)) as GrantHelpers
  const { issueTokens } = (await import(`${FOLDER}/grant_common.js`)) as GrantCommon
  // The built-in grants are given them so.
  const bound = Object.fromEntries(
    Object.entries(helpers).map(([name, helper]) => [
      name,
      typeof helper === 'function' ? helper.bind(undefined, provider) : helper,
    ]),
  )

  async function handle(ctx: Context): Promise<void> {
    const user = await logIn(ctx, findUser)
    const dPoP = await helpers.validateDpop(provider, ctx)
    const cert = helpers.checkMtlsCert(provider, ctx)
    helpers.checkDpopRequired(provider, ctx, dPoP)
    const resources = await helpers.resolveRequestedResources(provider, ctx)
    const scope = chooseScope(helpers.validateClientScope(provider, ctx), resources)
    const { client } = ctx.oidc
    const grant = new provider.Grant({ accountId: user.id, clientId: client.clientId })
    for (const resource of resources) grant.addResourceScope(resource.identifier(), scope)
    const grantId = await grant.save()
    ctx.oidc.entity('Grant', grant)
    const source = new provider.AuthorizationCode({
      accountId: user.id,
      authTime: Math.floor(Date.now() / 1000),
      client,
      grantId,
      gty: 'password',
      scope,
      resource: resources.map((resource) => resource.identifier()),
    })
    const options = { gty: 'password', entityLabel: 'login', cert, dPoP }
    await issueTokens(provider, bound, ctx, source, grant, options)
  }

  provider.registerGrantType('password', handle, PARAMETERS, ['resource'])
}

/** One refusal for whatever is wrong with a login. */
async function logIn({ oidc }: Context, findUser: FindPasswordUser): Promise<{ id: string }> {
  const { username, password } = oidc.params
  if (!username || !password) throw new errors.InvalidRequest('username or password is missing')
  const user = await findUser(username, password)
  if (!user) throw new errors.InvalidGrant('the credentials are not valid')
  return user
}

/** What was asked for must be there; without a word it is everything. */
function chooseScope(asked: Set<string>, resources: readonly Resource[]): string {
  const known = resources.flatMap((resource) => [...resource.scopes])
  const missing = [...asked].filter((one) => !known.includes(one))
  if (missing.length > 0) {
    throw new errors.InvalidScope('requested scope is not allowed', missing.join(' '))
  }
  return [...(asked.size > 0 ? asked : new Set(known))].join(' ')
}
