// The TLS files of the service, with what the log says of them.

import { logEvent } from '../ops/log-events.ts'
import { openTlsSource, type TlsSource } from '../tls/tls-source.ts'
import type { Foundation } from './foundation.ts'

/** Undefined where Lineage speaks plain HTTP. Throws StartError where the files are no good. */
export function openServiceTls({
  config,
  logger,
}: Pick<Foundation, 'config' | 'logger'>): TlsSource | undefined {
  if (!config.tls) return undefined
  return openTlsSource(config.tls, {
    reloaded: () => logEvent(logger, 'tls.reloaded'),
    failed: (problems) => logEvent(logger, 'tls.reload_failed', { problems }),
  })
}
