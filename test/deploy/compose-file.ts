// docker-compose.yml as data, with its anchors and merges resolved as Compose resolves them.

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface ComposeService {
  readonly image: string
  readonly build?: string
  readonly user?: string
  readonly init?: boolean
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly restart?: string
  readonly network_mode?: string
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly environment?: Readonly<Record<string, string>>
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly volumes?: readonly string[]
  readonly tmpfs?: readonly string[]
  readonly networks?: readonly string[]
  readonly ports?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
}

export type ServiceName = 'lineage' | 'postgres' | 'redis' | 'secrets'

export interface ComposeFile {
  readonly services: Readonly<Record<ServiceName, ComposeService>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly volumes: Readonly<Record<string, null>>
}

export function readComposeFile(): ComposeFile {
  const text = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8')
  return parse(text, { merge: true }) as ComposeFile
}

/** `NAME:PATH[:OPTIONS]` of a service's volumes, by name. */
export function mountsOf(
  service: ComposeService,
): ReadonlyMap<string, { readonly path: string; readonly readOnly: boolean }> {
  return new Map(
    (service.volumes ?? []).map((volume) => {
      const [name = '', path = '', options = ''] = volume.split(':')
      return [name, { path, readOnly: options.split(',').includes('ro') }]
    }),
  )
}
