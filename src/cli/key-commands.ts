// `lineage keys …`: the signing keys, their rotation by hand, and their public parts for gateways
// that load no JWKS.

import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { Command } from 'commander'
import { openHeldKeys } from '../keys/held-keys.ts'
import { buildJwksDocument } from '../keys/jwks-document.ts'
import { openKeyRing } from '../keys/key-ring.ts'
import { deriveStates, type KeyStatus, type KeyView, listKeyViews } from '../keys/key-states.ts'
import { openKeyManagement, recordKeyEvents } from '../management/key-management.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { columnsOf, formatRecord, formatTable, printResult } from './command-output.ts'
import { CLI_ACT, type CommandStores, withStores } from './command-stores.ts'

export function addKeyCommands(program: Command, context: CommandContext): void {
  const keys = program.command('keys').description('the keys that sign access tokens')
  addListCommand(keys, context)
  addRotateCommand(keys, context)
  addExportCommand(keys, context)
}

const COLUMNS = columnsOf<KeyView>({
  kid: true,
  alg: true,
  state: true,
  publishedAt: true,
  activeFrom: true,
  retireAt: true,
})

function addListCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'list',
    summary: 'list the keys that verify tokens now, oldest first',
    examples: ['lineage keys list', 'lineage keys list --json'],
  }).action((options: OutputOptions) =>
    withStores(context, async (stores) => {
      const views = listKeyViews(await readKeys(stores), stores.clock())
      printResult(context, options, views, formatTable(views, COLUMNS))
    }),
  )
}

interface RotateOptions extends OutputOptions {
  readonly compromised?: boolean
  readonly alg?: string
}

function addRotateCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'rotate',
    summary: 'publish the next key of each algorithm now; it signs once every verifier can have it',
    examples: ['lineage keys rotate --alg RS256', 'lineage keys rotate --compromised'],
  })
    .option('--compromised', 'replace every key at once: all access tokens of before are refused')
    .option('--alg <name>', 'of this algorithm alone')
    .action(({ compromised = false, alg, ...options }: RotateOptions) =>
      withStores(context, async (stores) => {
        const recordKeyEvent = recordKeyEvents(stores.recordEvent)
        // Opening the keys rotates them if that is due; the rotation that was asked for follows.
        const ring = await openKeyRing({ ...stores, recordKeyEvent })
        const keys = openKeyManagement(ring, stores.config)
        const { key, created } = await keys.rotate({ compromised, alg }, CLI_ACT)
        printResult(context, options, { ...key, created }, formatRecord(key))
        if (!created) context.stderr.write('lineage: this key waits already; none was made\n')
      }),
    )
}

interface ExportOptions extends OutputOptions {
  readonly pem?: boolean
  readonly kid?: string
  readonly alg?: string
}

function addExportCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'export',
    summary: 'print the public keys, the active one first: as a JWK Set, or as PEM',
    examples: ['lineage keys export --pem > lineage.pem', 'lineage keys export --pem --kid KID'],
  })
    .option('--pem', 'as SPKI PEM blocks, for gateways that load no JWKS')
    .option('--kid <kid>', 'this key alone')
    .option('--alg <name>', 'those of this algorithm, for gateways that know no other')
    .action((options: ExportOptions) =>
      withStores(context, async (stores) => {
        const found = await listExported(options, stores)
        const jwks = buildJwksDocument(
          found.map(({ key }) => key),
          0,
        ).body
        const pems = found.map((status) => ({ ...toKeyJson(status), pem: toPem(status) }))
        if (!options.pem) printResult(context, options, JSON.parse(jwks), jwks)
        else printResult(context, options, pems, pems.map(({ pem }) => pem.trimEnd()).join('\n'))
      }),
    )
}

/** Throws CommandFailure when there is none. */
async function listExported(
  { kid, alg }: ExportOptions,
  stores: CommandStores,
): Promise<readonly KeyStatus[]> {
  const published = deriveStates(await readKeys(stores), stores.clock()).filter(
    ({ key, state }) =>
      state !== 'retired' &&
      (kid === undefined || key.kid === kid) &&
      (alg === undefined || key.material.alg === alg),
  )
  if (published.length === 0) {
    const isNarrowed = kid !== undefined || alg !== undefined
    throw new CommandFailure(isNarrowed ? 'there is no such key' : 'there is no key yet')
  }
  const algs: readonly string[] = stores.config.signingAlgs
  const rank = (status: KeyStatus) => rankOf(status, algs)
  return published.toSorted((one, other) => rank(one) - rank(other))
}

/** The active key of the default first, because some gateways read only the first block. */
function rankOf({ key, state }: KeyStatus, algs: readonly string[]): number {
  const algRank = algs.indexOf(key.material.alg)
  const perState = algs.length + 1
  return (
    ['active', 'next', 'retiring'].indexOf(state) * perState + (algRank < 0 ? algs.length : algRank)
  )
}

function toKeyJson({ key, state }: KeyStatus) {
  return { kid: key.kid, alg: key.material.alg, state }
}

function toPem({ key }: KeyStatus): string {
  const publicKey = createPublicKey({ key: key.material.publicJwk as JsonWebKey, format: 'jwk' })
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

/** Reads the keys and changes nothing: a rotation that is due is left to the service. */
async function readKeys({ database, config }: CommandStores) {
  const held = openHeldKeys(database, config.rootSecrets)
  await held.read()
  return held.keys()
}
