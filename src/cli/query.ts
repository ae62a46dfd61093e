/**
 * `millrace query STORE get KEY` and `millrace query STORE range`: typed rows of a local store.
 *
 * Committed state, from the running process (on Kafka any replica, `--url`) or from the files of a
 * stopped one.
 */

import { Command } from 'commander'
import { type RowBounds, StoreRequestError } from '../../topologies/shop/http/shop-access.ts'
import { nearest } from '../config/nearest.ts'
import type { OptionName } from '../config/options.ts'
import type { Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import { CursorError } from '../queries/page-cursor.ts'
import type { Store } from '../stores/store.ts'
import { addConfigFlags, settingsOf } from './config-flags.ts'
import { cursorOf } from './cursor-flag.ts'
import { CommandError } from './failure.ts'
import { hasManyRows } from './store-rows.ts'
import { rowsText } from './rows-text.ts'

const flags = { options: ['stateDir', 'url', 'topicNames', 'output'] satisfies OptionName[] }
const limitMax = 10_000
const limitDefault = 100

interface QueryFlags {
  readonly from?: string
  readonly to?: string
  readonly limit?: string
  readonly cursor?: string
}

const outputs = `
get prints the value, as JSON. Counters of tasks have the same key in several partitions: then it
prints all, [{"partition": 0, "value": …}, …]; add them up.
range prints a row per line: partition, key, value. With -o json it is an array,
[{"partition": 0, "key": "…", "value": …}, …]; both are in the order of the keys. If there is more,
stderr says with which --cursor to go on.

Rows that lie in time (windows, what suppress or a join holds) are in the order of their times, and
--from and --to are times, also of get: ISO-8601, or ms since 1970. Windows have columns start and
end, in JSON {"key": …, "window": {"start": …, "end": …}, "time": …, "value": …}; get lists all.
A global table goes by the name of its topic and belongs to no partition.

'millrace topology describe' names the stores.`

export const queryCommand = (): Command => {
  const command = new Command('query')
    .description('Read committed rows of a store, from a running shop or from its files.')
    .argument('<store>', 'name of the store')
    .argument('<action>', 'get or range')
    .argument('[key]', 'key of the row, or rows, to get')
    .option('--from <key>', 'First key or time (inclusive).')
    .option('--to <key>', 'End of the keys or times (exclusive).')
    .option('--cursor <cursor>', 'Go on behind the page that told it; same bounds.')
    .option('--limit <number>', `Rows at most, up to ${limitMax}. (default ${limitDefault})`)
    .addHelpText('after', outputs)
  return addConfigFlags(command, flags).action(
    async (store: string, action: string, key: string | undefined, given: QueryFlags) => {
      const settings = settingsOf(command, flags)
      const isJson = settings.output === 'json'
      const answer = await answerOf(settings, { store, action, key, given, isJson }).catch(
        (error: unknown) => {
          const isMistake = error instanceof StoreRequestError || error instanceof CursorError
          throw isMistake ? new UsageError(error.message) : error
        },
      )
      if (answer !== '') process.stdout.write(`${answer}\n`)
    },
  )
}

interface Question {
  readonly store: string
  readonly action: string
  readonly key: string | undefined
  readonly given: QueryFlags
  readonly isJson: boolean
}

const answerOf = async (
  settings: Settings,
  { store, action, key, given, isJson }: Question,
): Promise<string> => {
  const { withShop } = await import('./connect-shop.ts')
  if (action === 'get') {
    const found = await knownStore(settings, store)
    if (key === undefined) throw new UsageError('query … get needs a key')
    const { rows } = await withShop(settings, (shop) =>
      shop.storeGetAll(store, key, boundsOf(given)),
    )
    if (rows[0] === undefined) throw new CommandError(`store ${store} has no key ${key}`)
    const isList = rows.length > 1 || (found !== undefined && hasManyRows(found))
    const values = rows.map(({ key: _key, ...row }) => row)
    return JSON.stringify(isList ? values : rows[0].value, null, isJson ? 0 : 2)
  }
  if (action !== 'range') {
    const best = nearest(action, ['get', 'range'])
    throw new UsageError(`unknown action '${action}'; the nearest known one is '${best}'`)
  }
  if (key !== undefined) {
    throw new UsageError('query … range takes no key; bound it with --from and --to')
  }
  await knownStore(settings, store)
  const range = { ...boundsOf(given), limit: limitOf(given.limit), ...cursorOf(given.cursor) }
  const { rows, cursor } = await withShop(settings, (shop) => shop.storeRange(store, range))
  if (cursor !== undefined) process.stderr.write(`there is more: --cursor ${cursor}\n`)
  if (isJson) return JSON.stringify(rows)
  return rowsText(rows)
}

/**
 * @returns undefined for a global table
 * @throws {UsageError} the shop has no such store
 */
const knownStore = async (settings: Settings, name: string): Promise<Store | undefined> => {
  const { shopTopology } = await import('../../topologies/shop/shop.ts')
  const { shopConfigOf } = await import('./shop-settings.ts')
  const { stores, globals } = shopTopology(shopConfigOf(settings)).plan
  if (stores.has(name) || globals.has(name)) return stores.get(name)
  const best = nearest(name, [...stores.keys(), ...globals.keys()])
  throw new UsageError(`unknown store '${name}'; the nearest known one is '${best}'`)
}

const boundsOf = ({ from, to }: QueryFlags): RowBounds => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
})

const limitOf = (text: string | undefined): number => {
  if (text === undefined) return limitDefault
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit
  throw new UsageError(`--limit: "${text}" is not a whole number from 1 to ${limitMax}`)
}
