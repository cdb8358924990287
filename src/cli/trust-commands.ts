// `lineage trust …`: whose tokens are believed besides our own, by the rules of /admin/trusted-issuers.

import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { ISSUER_KINDS, type TrustedIssuer } from '../trust/trusted-issuer.ts'
import type { NewTrustedIssuerInput } from '../trust/trusted-issuer-draft.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { columnsOf, formatRecord, formatTable, printResult } from './command-output.ts'
import { CLI_ACT, withStores } from './command-stores.ts'
import { addTrustTestCommand } from './trust-test-command.ts'

export function addTrustCommands(program: Command, context: CommandContext): void {
  const trust = program.command('trust').description('whose tokens are believed besides our own')
  addAddCommand(trust, context)
  addListCommand(trust, context)
  addRemoveCommand(trust, context)
  addTrustTestCommand(trust, context)
}

const COLUMNS = columnsOf<TrustedIssuer>({
  id: true,
  kind: true,
  issuer: true,
  audience: true,
  replay: true,
  jwks: false,
  jwksUri: false,
  allowPrivateNetwork: false,
  algs: false,
  subjects: false,
  createdAt: true,
  updatedAt: false,
})

/** Named like the members of /admin/trusted-issuers. */
interface AddOptions extends OutputOptions {
  readonly issuer: string
  readonly kind: TrustedIssuer['kind']
  readonly jwksFile?: NewTrustedIssuerInput['jwks']
  readonly jwksUri?: string
  readonly allowPrivateNetwork?: boolean
  readonly audience?: string
  readonly alg?: string[]
  readonly replay?: TrustedIssuer['replay']
  readonly subjects?: TrustedIssuer['subjects']
}

function addAddCommand(parent: Command, context: CommandContext): void {
  const kind = new Option('--kind <kind>', 'what signs there').choices(ISSUER_KINDS)
  const replay = new Option('--replay <rule>', 'whether a token is good once')
  addCommand(parent, {
    usage: 'add',
    summary: 'believe the tokens of an issuer, for clients that name it in their identities',
    examples: [
      'lineage trust add github --kind github --issuer https://token.actions.githubusercontent.com --jwks-uri https://token.actions.githubusercontent.com/.well-known/jwks',
      'lineage trust add cluster --kind kubernetes --issuer https://kubernetes.default.svc.cluster.local --jwks-file jwks.json',
    ],
  })
    .argument('<id>', 'the id that clients name it by')
    .requiredOption('--issuer <issuer>', 'its `iss`, or its trust domain for SPIFFE')
    .addOption(kind.makeOptionMandatory())
    .option('--jwks-file <path>', 'a file with its public keys, a JWK Set', readJsonFile)
    .option('--jwks-uri <url>', 'where its public keys are fetched')
    .option('--allow-private-network', 'the address of --jwks-uri may be a private one')
    .option('--audience <audience>', 'the audience of its tokens; our issuer without it')
    .option('--alg <alg...>', 'what its tokens may be signed with')
    .addOption(replay.choices(['single_use', 'reusable']))
    .option('--subjects <json>', 'whom its tokens are about in the JWT bearer grant', parseJson)
    .action((id: string, options: AddOptions) =>
      withStores(context, async ({ trust }) => {
        const added = await trust.create({ id, ...toInput(options) }, CLI_ACT)
        printResult(context, options, added, formatRecord(added))
      }),
    )
}

function toInput(options: AddOptions): Omit<NewTrustedIssuerInput, 'id'> {
  return {
    issuer: options.issuer,
    kind: options.kind,
    jwks: options.jwksFile,
    jwksUri: options.jwksUri,
    allowPrivateNetwork: options.allowPrivateNetwork,
    audience: options.audience,
    algs: options.alg,
    replay: options.replay,
    subjects: options.subjects,
  }
}

function addListCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'list',
    summary: 'list the trusted issuers, oldest first',
    examples: ['lineage trust list', 'lineage trust list --json'],
  }).action((options: OutputOptions) =>
    withStores(context, async ({ trust }) => {
      const all = await trust.listAll()
      printResult(context, options, all, formatTable(all, COLUMNS))
    }),
  )
}

function addRemoveCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'remove',
    summary: 'believe the tokens of an issuer no more',
    examples: ['lineage trust remove github'],
  })
    .argument('<id>', 'the id of the trusted issuer')
    .action((id: string, options: OutputOptions) =>
      withStores(context, async ({ trust }) => {
        // Whoever misspells it must not believe that it is gone.
        await trust.find(id)
        await trust.delete(id, CLI_ACT)
        printResult(context, options, { removed: id }, '')
      }),
    )
}

/** Throws InvalidArgumentError for what is no JSON; what it says is checked with the issuer. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidArgumentError('It must be JSON.')
  }
}

function readJsonFile(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new InvalidArgumentError('There is no such file.')
  }
  return parseJson(text)
}
