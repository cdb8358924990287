// The one command of the README as a real process: embedded mode from an empty directory to its
// end, again after a clean stop and after a kill (INTERFACE §2).

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Test, test } from 'tap'
import type { DemoData } from '../../src/embedded/demo-data.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import { type EmbeddedDataDir, makeDataDir } from '../support/embedded-data-dir.ts'
import {
  type LineageProcess,
  refresh,
  spawnLineage,
  startLineage,
} from '../support/lineage-process.ts'
import { findOnPath } from '../support/redis-binary.ts'
import { until } from '../support/until.ts'
