// The service with a bug in it: a copy of the sources in which one rule of the store is broken. A run that
// does not notice would not notice such a bug of ours either.

import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/repository-text.ts'
import { makeServerDir } from '../support/temp-dir.ts'
import type { FaultName } from './chaos-faults.ts'

interface PlantedBug {
  readonly file: string
  readonly text: string
  readonly instead: string
  /** Those that it takes to meet it. */
  readonly faults: readonly FaultName[]
}

const LUA = 'src/families/redis/lua'

export const PLANTED_BUGS = {
  /** An old token is rotated as the current one is. */
  'rotates whatever generation': {
    file: `${LUA}/rotate.lua`,
    text: 'if generation < current and not is_retry then',
    instead: 'if false then',
    faults: [],
  },
  /** The last token but one is good for ever. */
  'forgives without end': {
    file: `${LUA}/rotate.lua`,
    text: 'generation == current - 1 and now < family.rotated_at + grace',
    instead: 'generation == current - 1',
    faults: [],
  },
  /** What ends a session takes it out of the list of those that live, and leaves it as it was. */
  'ends nothing': {
    file: `${LUA}/family.lua`,
    text: 'write_family(family_key(user_key, family.id), family)\n  leave_live',
    instead: 'leave_live',
    faults: [],
  },
  /** What was sent before the store froze is carried out when nobody waits for it. */
  'acts late': {
    file: 'src/redis/late.lua',
    text: 'if server_now() >= tonumber(table.remove(ARGV)) then',
    instead: 'table.remove(ARGV)\nif false then',
    faults: ['freeze', 'freeze'],
  },
} as const satisfies Record<string, PlantedBug>

/** Where a service is started from. */
export interface PlantedService {
  readonly root: string
  readonly program: string
}

export type PlantedBugName = keyof typeof PLANTED_BUGS

/** Makes a service with that bug. */
export async function plantBug(name: PlantedBugName): Promise<PlantedService> {
  const { file, text, instead } = PLANTED_BUGS[name]
  const dir = makeServerDir()
  cpSync(join(ROOT, 'src'), join(dir, 'src'), { recursive: true })
  for (const other of ['node_modules', 'package.json', 'prisma']) {
    symlinkSync(join(ROOT, other), join(dir, other))
  }
  const source = readFileSync(join(dir, file), 'utf8')
  if (!source.includes(text)) throw new Error(`${file} has no more: ${text}`)
  writeFileSync(join(dir, file), source.replace(text, instead))
  return { root: await buildSources(dir), program: 'src/main.js' }
}

/** Builds the sources of a checkout as the suite does; returns the folder that mirrors it. */
export async function buildSources(root: string): Promise<string> {
  const script = join(ROOT, 'scripts/test-build.mjs')
  const { buildTests } = (await import(script)) as { buildTests(root: string): Promise<string> }
  return await buildTests(root)
}
