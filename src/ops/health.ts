// Whether the service is ready: one state (starting, serving, draining) and what its dependencies
// last said. A dead dependency never makes it unready, because much still works and
// taking every instance out of the balancer would end that too (docs/semantics.md §13).

import { type Clock, monotonicClock } from '../runtime/clock.ts'
import { DEPENDENCY_DEADLINE_MS, withDeadline } from '../runtime/deadline.ts'
import { type Dependency, DependencyUnavailable } from '../runtime/dependency-unavailable.ts'

/**
 * For how long an answer is used again, so that a flood of probes costs the dependencies nothing.
 */
const PROBE_CACHE_MS = 1_000

/** So that a check which keeps the deadline tells what it has found at it. */
const CHECK_GRACE_MS = 300

export type DependencyState = 'ok' | 'down'

/** The answer of `/readyz`. */
export interface Readiness {
  readonly status: 'starting' | 'ok' | 'degraded' | 'draining'
  readonly dependencies: Readonly<Partial<Record<Dependency, DependencyState>>>
  /** Only when there are some: what an operator should put right, without secrets. */
  readonly warnings?: readonly string[]
}

export interface Health {
  /** Answers within the dependencies' deadline and never rejects. */
  readiness(): Promise<Readiness>
  markStarted(): void
  /** Once for all: readiness stays `draining`. */
  markDraining(): void
  /** Whether no further request is wanted on any connection, though each is still answered. */
  isDraining(): boolean
}

export interface HealthOptions {
  /** Resolves when the dependency answers; one that is not used is left out. */
  readonly checks: Readonly<Partial<Record<Dependency, () => Promise<void>>>>
  /** Asked at every probe, so that a warning goes when its cause does. */
  readonly warnings?: () => readonly string[]
  /** Told once at every change, the first look included when it finds the dependency down. */
  readonly onChange?: (dependency: Dependency, state: DependencyState) => void
  readonly clock?: Clock
}

/** Begins in `starting`. Dependencies are asked only when somebody asks for readiness. */
export function createHealth({
  checks,
  warnings = () => [],
  onChange = () => {},
  clock = monotonicClock,
}: HealthOptions): Health {
  let phase: 'starting' | 'serving' | 'draining' = 'starting'
  const states: Partial<Record<Dependency, DependencyState>> = {}
  let probe: { readonly done: Promise<void>; readonly staleAtMs: number } | undefined

  const ask = async (dependency: Dependency, check: () => Promise<void>): Promise<void> => {
    // Where nothing new was learned, what was known stays.
    const state = (await checkState(dependency, check)) ?? states[dependency] ?? 'ok'
    if (state !== (states[dependency] ?? 'ok')) onChange(dependency, state)
    states[dependency] = state
  }
  const askAll = async (): Promise<void> => {
    await Promise.all(
      Object.entries(checks).map(([dependency, check]) => ask(dependency as Dependency, check)),
    )
    // From the answer on, not from the question: a slow dependency would otherwise be asked again
    // at once.
    probe = { done: Promise.resolve(), staleAtMs: clock() + PROBE_CACHE_MS }
  }
  return {
    async readiness() {
      if (!probe || clock() >= probe.staleAtMs) {
        probe = { done: askAll(), staleAtMs: Number.POSITIVE_INFINITY }
      }
      await probe.done
      const found = warnings()
      const serving = Object.values(states).includes('down') ? 'degraded' : 'ok'
      return {
        status: phase === 'serving' ? serving : phase,
        dependencies: { ...states },
        ...(found.length > 0 ? { warnings: [...found] } : {}),
      }
    },
    markStarted() {
      if (phase === 'starting') phase = 'serving'
    },
    markDraining() {
      phase = 'draining'
    },
    isDraining: () => phase === 'draining',
  }
}

/**
 * Undefined where the dependency was not even asked, because this process has too much to do. A check
 * that keeps the deadline itself says so; only one that does not is cut off.
 */
async function checkState(
  dependency: Dependency,
  check: () => Promise<void>,
): Promise<DependencyState | undefined> {
  try {
    await withDeadline(
      check(),
      DEPENDENCY_DEADLINE_MS + CHECK_GRACE_MS,
      () => new DependencyUnavailable(dependency, 'deadline exceeded'),
    )
    return 'ok'
  } catch (error) {
    const wasAsked = !(error instanceof DependencyUnavailable) || error.because === 'outage'
    return wasAsked ? 'down' : undefined
  }
}
