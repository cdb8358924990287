// Searches one space in a process of its own, and tells what came of it.

import { openMachine } from './machine.ts'
import { search } from './search.ts'
import type { Space } from './spaces.ts'
import { AS_BUILT } from './variant.ts'

const { name, bounds } = JSON.parse(process.argv[2] ?? '') as Space
const begun = performance.now()
const searched = search(openMachine(bounds, AS_BUILT))
const seconds = (performance.now() - begun) / 1_000
const megabytes = process.resourceUsage().maxRSS / 1_000
process.send?.({ name, ...searched, seconds, megabytes })
