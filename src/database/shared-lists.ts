// How rows are read that are kept in memory by the thousand: a list of texts that many of them have
// alike is parsed once and held once.

import pg from 'pg'

type TypeId = Parameters<typeof pg.types.getTypeParser>[0]

/** The type `text[]`. */
const TEXT_LIST = 1009 as TypeId
/** Lists that are remembered; most tables have far fewer. */
const REMEMBERED_MAX = 1_000

/** For the `types` of a query. The lists are shared, so nobody may change them. */
export function openSharedLists(): pg.CustomTypesConfig {
  const parseList = pg.types.getTypeParser(TEXT_LIST)
  const known = new Map<string, unknown>()

  function parseShared(text: string): unknown {
    const list = known.get(text) ?? parseList(text)
    if (known.size >= REMEMBERED_MAX) known.clear()
    known.set(text, list)
    return list
  }

  return {
    getTypeParser: (id, format) =>
      id === TEXT_LIST ? parseShared : pg.types.getTypeParser(id, format),
  }
}
