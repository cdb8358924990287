// Whether Grafana would take the dashboard: Grafana's own types of it, held against the file by the
// compiler, which also finds misspelt members.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../support/repository-text.ts'

const SCHEMA = join(ROOT, 'node_modules/@grafana/schema/dist/types')
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc')

/** Types of panels, and the module of each that has its options and those of its fields: stat has none. */
const KINDS = {
  stat: 'stat',
  timeseries: 'timeseries',
  heatmap: 'heatmap',
  'state-timeline': 'statetimeline',
  table: 'table',
} as const

/** What the compiler says of the dashboard; empty when it has nothing to say. */
export function checkAgainstTypes(dashboard: object): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'lineage-dashboard-'))
  try {
    writeFileSync(join(dir, 'dashboard.ts'), moduleOf(dashboard))
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig']
    const modules = ['--module', 'esnext', '--moduleResolution', 'bundler']
    // tap would load itself into every Node child.
    const command = ['-u', 'NODE_OPTIONS', process.execPath, COMPILER, ...options, ...modules]
    const { status, stdout, stderr } = spawnSync('env', [...command, 'dashboard.ts'], {
      cwd: dir,
      encoding: 'utf8',
    })
    const problems = stdout.split('\n').filter((line) => line !== '')
    if ((status === 0) !== (problems.length === 0)) throw new Error(`the compiler broke: ${stderr}`)
    return problems
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** In the file an enumeration is its bare string, which `Plain` makes of it. */
function moduleOf(dashboard: object): string {
  const imports = Object.values(KINDS).map(
    (kind) => `import type * as ${kind} from ${JSON.stringify(composable(kind))}`,
  )
  const panels = Object.entries(KINDS).map(([type, kind]) => {
    const custom = kind === 'stat' ? 'never' : `${kind}.FieldConfig`
    return `PanelOf<'${type}', ${kind}.Options, ${custom}>`
  })
  return `import type { Dashboard, FieldConfig, Panel, RowPanel } from ${JSON.stringify(`${SCHEMA}/raw/dashboard/x/types.gen`)}
${imports.join('\n')}
type Plain<T> = T extends string ? \`\${T}\` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T
interface Query { refId: string; datasource: { type: 'prometheus'; uid: string }; editorMode: 'code'
  expr: string; legendFormat: string; range: boolean; instant: boolean; format?: 'table' | 'heatmap' }
type PanelOf<Type, Options, Custom> =
  Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & { type: Type; options: Plain<Options>
    targets: Query[]
    fieldConfig: { defaults: Omit<Plain<FieldConfig>, 'custom'> & { custom?: Plain<Custom> }; overrides: never[] } }
type AnyPanel = ${panels.join(' | ')} | RowPanel
export const dashboard: Omit<Dashboard, 'panels'> & { panels: AnyPanel[] } =
  ${JSON.stringify(dashboard, null, 1)}
`
}

function composable(kind: string): string {
  return join(SCHEMA, 'raw/composable', kind, 'panelcfg/x/types.gen')
}
