// Which listeners an instance has, and what it means when one of them cannot be opened.

import { StartError } from '../../runtime/start-error.ts'

/** Which routes a listener serves: `LINEAGE_OPS_PORT` splits them over two. */
export type Surface = 'all' | 'public' | 'operations'

export interface PlannedListener {
  readonly surface: Surface
  readonly port: number
  /** The setting that the port comes from. */
  readonly setting: 'PORT' | 'LINEAGE_OPS_PORT'
}

/** `LINEAGE_OPS_PORT` moves management and probes to a listener of their own. */
export function planListeners({
  port,
  opsPort,
}: {
  readonly port: number
  readonly opsPort: number | undefined
}): readonly PlannedListener[] {
  if (opsPort === undefined) return [{ surface: 'all', port, setting: 'PORT' }]
  return [
    { surface: 'public', port, setting: 'PORT' },
    { surface: 'operations', port: opsPort, setting: 'LINEAGE_OPS_PORT' },
  ]
}

/** A StartError where an operator can mend it, else the error itself. */
export function toListenError(
  error: unknown,
  host: string,
  { port, setting }: PlannedListener,
): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  const place = `port ${port} on ${host}`
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(`${place} is taken; set ${setting} to a free one`)
    case 'EACCES':
      return new StartError(`${place} may not be used by this user; set ${setting}`)
    case 'EADDRNOTAVAIL':
      return new StartError(`${host} is not an address of this machine; set HOST`)
    default:
      return error
  }
}
