// Three instances and one Redis that freezes, dies and is full.

import { testShortRun } from './short-run.ts'

const FAULTS = [
  'freeze',
  'stall',
  'crowd',
  'killRedis',
  'restartPostgres',
  'setClock',
  'fillRedis',
] as const

testShortRun('redis', FAULTS)
