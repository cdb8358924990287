import { test } from 'tap'
import { openMachine } from './machine.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { search } from './search.ts'
import { SMALL_SPACES } from './spaces.ts'
import { AS_BUILT } from './variant.ts'

for (const { name, bounds } of SMALL_SPACES) {
  test(`the machine breaks no invariant: ${name}`, async (t) => {
    const { states, transitions, depth, found } = search(openMachine(bounds, AS_BUILT))
    t.comment(`${states} states, ${transitions} transitions, ${depth} steps deep`)
    t.same(found, undefined)
    t.ok(states > 5_000, 'it was not searched for nothing')
  })
}

test('every planted bug is found by the invariant that is meant for it', async (t) => {
  for (const { name, variant, bounds, breaks } of PLANTED_BUGS) {
    const { found } = search(openMachine(bounds, variant))
    t.equal(found?.broken, breaks, name)
    t.ok(found?.steps.length, `${name}: ${found?.steps.join('; ')}`)
  }
})

test('without its planted bug each of those spaces breaks nothing', async (t) => {
  const spaces = new Map(PLANTED_BUGS.map(({ bounds }) => [JSON.stringify(bounds), bounds]))
  for (const bounds of spaces.values()) {
    t.same(search(openMachine(bounds, AS_BUILT)).found, undefined, JSON.stringify(bounds))
  }
})
