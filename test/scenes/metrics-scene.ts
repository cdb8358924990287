// Metrics as a service has them, at two moments, for what reads them without a service.

import type { Scrape } from '../../src/cli/top/metrics-scrape.ts'
import { parseMetricsText } from '../../src/cli/top/metrics-text.ts'

const HTTP = 'lineage_http_request_duration_seconds'

/** `refreshes` have been answered so far, and one in ten of them was a replay. */
export function metricsText(refreshes: number, extra: readonly string[] = []): string {
  const labels = 'route="/token",method="POST"'
  const replayed = Math.floor(refreshes / 10)
  const good = refreshes - replayed
  return [
    'lineage_build_info{version="1.2.3",node="v20.19.0",families="redis"} 1',
    // In the order in which they came first.
    `${HTTP}_bucket{le="0.1",${labels},status_class="4xx"} ${replayed}`,
    `${HTTP}_bucket{le="+Inf",${labels},status_class="4xx"} ${replayed}`,
    `${HTTP}_sum{${labels},status_class="4xx"} 1`,
    `${HTTP}_count{${labels},status_class="4xx"} ${replayed}`,
    `${HTTP}_bucket{le="0.1",${labels},status_class="2xx"} ${good}`,
    `${HTTP}_bucket{le="+Inf",${labels},status_class="2xx"} ${good}`,
    `${HTTP}_sum{${labels},status_class="2xx"} 1`,
    `${HTTP}_count{${labels},status_class="2xx"} ${good}`,
    `lineage_token_requests_total{grant="refresh_token",outcome="ok"} ${good}`,
    `lineage_token_requests_total{grant="refresh_token",outcome="invalid_grant"} ${replayed}`,
    `lineage_refresh_total{outcome="rotated"} ${good}`,
    `lineage_refresh_total{outcome="replayed"} ${replayed}`,
    'lineage_refresh_total{outcome="invalid"} 7',
    'lineage_logins_total{outcome="ok"} 5',
    'lineage_logins_total{outcome="failed"} 0',
    `lineage_family_ends_total{reason="reuse_detected"} ${replayed}`,
    'lineage_throttled_total{budget="pair"} 0',
    'lineage_hashing_active 1',
    'lineage_hashing_waiting 3',
    'lineage_pool_connections{state="busy"} 2',
    'lineage_pool_connections{state="idle"} 7',
    'lineage_pool_connections{state="waiting"} 0',
    'lineage_dependency_up{dependency="postgresql"} 1',
    'lineage_dependency_up{dependency="redis"} 0',
    'lineage_events_waiting 4',
    'lineage_events_dropped_total 0',
    'lineage_webhook_deliveries_total{outcome="delivered"} 0',
    'lineage_journal_replayed_total 0',
    'lineage_signing_key_age_seconds{kid="key-1",state="active"} 86400',
    'process_cpu_seconds_total 3',
    'process_resident_memory_bytes 104857600',
    'process_start_time_seconds 1000',
    'nodejs_eventloop_lag_p99_seconds 0.012',
    ...extra,
    '',
  ].join('\n')
}

/** The same as it was read, at a moment. */
export function scrapeOf(seconds: number, text: string): Scrape {
  return { samples: parseMetricsText(text), atMs: seconds * 1_000 }
}
