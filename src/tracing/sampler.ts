// Which traces are recorded, as OTEL_TRACES_SAMPLER says.

import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'
import type { SamplerSettings } from './telemetry-settings.ts'

export function samplerOf({ root, ratio, isParentBased }: SamplerSettings): Sampler {
  const own = ownSamplerOf(root, ratio)
  return isParentBased ? new ParentBasedSampler({ root: own }) : own
}

function ownSamplerOf(root: SamplerSettings['root'], ratio: number): Sampler {
  switch (root) {
    case 'always_on':
      return new AlwaysOnSampler()
    case 'always_off':
      return new AlwaysOffSampler()
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio)
  }
}
