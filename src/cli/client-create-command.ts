// `lineage client create`: the members of POST /admin/clients as options.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { AUTH_METHODS } from '../client-auth/authentication-methods.ts'
import type { Client } from '../clients/client.ts'
import type { ClientInput } from '../clients/client-draft.ts'
import { GRANT_TYPES } from '../grants/grants.ts'
import { addCommand, parseWholeNumber } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { formatRecord, printResult } from './command-output.ts'
import { CLI_ACT, withStores } from './command-stores.ts'

export const SHOWN_ONCE = 'lineage: the secret is shown this once; nobody can read it again\n'

/** Named like the members of /admin/clients; an option for a list is repeated. */
interface CreateOptions extends OutputOptions {
  readonly id?: string
  readonly name: string
  readonly type: Client['type']
  readonly grantType: Client['grantTypes']
  readonly scope?: string[]
  readonly defaultScope?: string[]
  readonly audience?: string[]
  readonly authMethod?: string[]
  readonly accessTokenTtlSeconds?: number
  readonly refreshIdleTtlSeconds?: number
  readonly refreshAbsoluteTtlSeconds?: number
  readonly refreshGraceSeconds?: number
  readonly tokenDelivery?: Client['tokenDelivery']
  readonly accessTokenCookie?: boolean
  readonly allowedOrigin?: string[]
  readonly forwardsClientIp?: boolean
  readonly requireFactor?: boolean
  readonly jwks?: ClientInput['jwks']
  readonly jwksUri?: string
  readonly allowPrivateNetwork?: boolean
  readonly assertionAlg?: string[]
  readonly federatedIdentity?: Client['federatedIdentities']
  readonly exchange?: Client['exchange']
  readonly dpopBoundAccessTokens?: boolean
  readonly tlsClientAuth?: ClientInput['tlsClientAuth']
  readonly tlsClientCertificateBoundAccessTokens?: boolean
  readonly refreshRotation?: Client['refreshRotation']
  readonly refreshRotateAfterSeconds?: number
  readonly signingAlg?: string
}

export function addCreateCommand(parent: Command, context: CommandContext): void {
  const types = new Option('--type <type>', 'whether it can keep a secret')
  const grants = new Option('--grant-type <grant...>', 'the grants it may use')
  const methods = new Option('--auth-method <method...>', 'how it proves who it is')
  const delivery = new Option('--token-delivery <where>', 'where refresh tokens travel')
  const command = addCommand(parent, {
    usage: 'create',
    summary: 'make a client; a confidential one gets a secret, shown once',
    examples: [
      'lineage client create --name Jobs --type confidential --grant-type client_credentials --scope jobs:run',
      'lineage client create --id web --name Web --type public --grant-type password refresh_token',
    ],
  })
    .option('--id <slug>', 'an id of your choice; a random one without it')
    .requiredOption('--name <name>', 'what people read')
    .addOption(types.choices(['confidential', 'public']).makeOptionMandatory())
    .addOption(grants.choices(GRANT_TYPES).makeOptionMandatory())
    .option('--scope <scope...>', 'the scopes it may ask for')
    .option('--default-scope <scope...>', 'those of a request that names none')
    .option('--audience <audience...>', 'the services its tokens may be for')
    .addOption(methods.choices(AUTH_METHODS))
    .option('--access-token-ttl-seconds <n>', 'life of access tokens', parseWholeNumber)
    .option('--refresh-idle-ttl-seconds <n>', 'unused sessions end after it', parseWholeNumber)
    .option('--refresh-absolute-ttl-seconds <n>', 'every session ends after it', parseWholeNumber)
    .option('--refresh-grace-seconds <n>', 'time to repeat a refresh', parseWholeNumber)
    .addOption(delivery.choices(['body', 'cookie']))
    .option('--access-token-cookie', 'the access token in a cookie too')
    .option('--allowed-origin <origin...>', 'the web origins that may call with cookies')
    .option('--forwards-client-ip', 'it may name the address of whoever logs in')
    .option('--require-factor', 'only users with a second factor may log in there')
  addProofOptions(command)
  addBindingOptions(command)
  command.action((options: CreateOptions) => createClient(options, context))
}

/** How it proves who it is without a secret, and what it may do for others. */
function addProofOptions(command: Command): void {
  command
    .option('--jwks <json>', 'its public keys, a JWK Set', parseJson)
    .option('--jwks-uri <url>', 'where its public keys are fetched')
    .option('--allow-private-network', 'the address of --jwks-uri may be a private one')
    .option('--assertion-alg <alg...>', 'what its assertions may be signed with')
    .option('--federated-identity <json>', 'whose assertions count as its own', collectJson)
    .option('--exchange <json>', 'what it may exchange tokens for', collectJson)
    .option('--tls-client-auth <json>', 'the name in its certificate', parseJson)
}

/** What binds its tokens, how often they change, and how they are signed. */
function addBindingOptions(command: Command): void {
  const rotation = new Option('--refresh-rotation <when>', 'whether refresh tokens are replaced')
  command
    .option('--dpop-bound-access-tokens', 'every token request needs a DPoP proof')
    .option('--tls-client-certificate-bound-access-tokens', 'tokens are bound to its certificate')
    .addOption(rotation.choices(['always', 'never']))
    .option(
      '--refresh-rotate-after-seconds <n>',
      'a younger refresh token is answered with itself',
      parseWholeNumber,
    )
    .option('--signing-alg <alg>', 'what its access tokens are signed with')
}

/** Throws InvalidArgumentError for what is no JSON; what it says is checked with the client. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidArgumentError('It must be JSON.')
  }
}

function collectJson(text: string, before: readonly unknown[] = []): unknown[] {
  return [...before, parseJson(text)]
}

async function createClient(options: CreateOptions, context: CommandContext): Promise<void> {
  await withStores(context, async ({ clients }) => {
    const id = options.id !== undefined && { id: options.id }
    const client = await clients.create({ ...toInput(options), ...id }, CLI_ACT)
    printResult(context, options, client, formatRecord({ ...client, secrets: undefined }))
    if (client.clientSecret !== undefined) context.stderr.write(SHOWN_ONCE)
  })
}

function toInput(options: CreateOptions): Required<ClientInput> {
  return {
    name: options.name,
    type: options.type,
    grantTypes: options.grantType,
    scopes: options.scope,
    defaultScopes: options.defaultScope,
    audiences: options.audience,
    authMethods: options.authMethod,
    accessTokenTtlSeconds: options.accessTokenTtlSeconds,
    refreshIdleTtlSeconds: options.refreshIdleTtlSeconds,
    refreshAbsoluteTtlSeconds: options.refreshAbsoluteTtlSeconds,
    refreshGraceSeconds: options.refreshGraceSeconds,
    tokenDelivery: options.tokenDelivery,
    accessTokenCookie: options.accessTokenCookie,
    allowedOrigins: options.allowedOrigin,
    forwardsClientIp: options.forwardsClientIp,
    requireFactor: options.requireFactor,
    jwks: options.jwks,
    jwksUri: options.jwksUri,
    allowPrivateNetwork: options.allowPrivateNetwork,
    assertionAlgs: options.assertionAlg,
    federatedIdentities: options.federatedIdentity,
    exchange: options.exchange,
    dpopBoundAccessTokens: options.dpopBoundAccessTokens,
    tlsClientAuth: options.tlsClientAuth,
    tlsClientCertificateBoundAccessTokens: options.tlsClientCertificateBoundAccessTokens,
    refreshRotation: options.refreshRotation,
    refreshRotateAfterSeconds: options.refreshRotateAfterSeconds,
    signingAlg: options.signingAlg,
  }
}
