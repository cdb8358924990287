// The dashboard of deploy/grafana as data: its panels, and their queries as Grafana would send them.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/repository-text.ts'

const FILE = join(ROOT, 'deploy/grafana/dashboards/lineage.json')

export interface GridPosition {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

export interface Query {
  readonly refId: string
  readonly expr: string
  readonly legendFormat: string
  readonly instant: boolean
}

export interface ThresholdStep {
  readonly color: string
  /** Null below all others. */
  readonly value: number | null
}

export interface Panel {
  readonly id: number
  readonly type: 'row' | 'stat' | 'timeseries' | 'heatmap' | 'state-timeline' | 'table'
  readonly title: string
  readonly description?: string
  readonly gridPos: GridPosition
  readonly targets?: readonly Query[]
  readonly options?: unknown
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string
      readonly max?: number
      readonly thresholds?: { readonly steps: readonly ThresholdStep[] }
      readonly custom?: { readonly stacking?: { readonly mode: string } }
    }
  }
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly description?: string
  readonly query: string | { readonly query: string }
}

export interface Dashboard {
  readonly title: string
  readonly uid: string
  readonly schemaVersion: number
  readonly templating: { readonly list: readonly Variable[] }
  readonly panels: readonly Panel[]
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Dashboard
}

/** The expression with the variables as Grafana fills them in when everything is chosen. */
export function fillIn(expr: string, rateInterval: string): string {
  return expr.replaceAll('$__rate_interval', rateInterval).replaceAll(/\$\w+/g, '.*')
}
