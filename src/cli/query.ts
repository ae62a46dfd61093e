/**
 * `millrace query STORE get KEY` and `millrace query STORE range`: typed rows of a local store.
 *
 * Committed state, from the running process (on Kafka any replica, `--url`) or from the files of a
 * stopped one.
 */

import { Command } from 'commander'
import { nearest } from '../config/nearest.ts'
import { type OptionName } from '../config/options.ts'
import { type Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import { addConfigFlags, settingsOf } from './config-flags.ts'
import { CommandError } from './failure.ts'
import { table } from './table.ts'

const flags = { options: ['stateDir', 'url', 'output'] satisfies OptionName[] }
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
stderr says with which --cursor to go on. Windows are in the order of their times; --from and --to
are times then, in ms or ISO-8601.

'millrace topology describe' names the stores.`

export const queryCommand = (): Command => {
  const command = new Command('query')
    .description('Read committed rows of a store, from a running shop or from its files.')
    .argument('<store>', 'name of the store')
    .argument('<action>', 'get or range')
    .argument('[key]', 'key of the row to get')
    .option('--from <key>', 'First key of the range, or time of windows (inclusive).')
    .option('--to <key>', 'End of the range (exclusive).')
    .option('--cursor <cursor>', 'Go on behind the page that told it; same bounds.')
    .option('--limit <number>', `Rows at most, up to ${limitMax}. (default ${limitDefault})`)
    .addHelpText('after', outputs)
  return addConfigFlags(command, flags).action(
    async (store: string, action: string, key: string | undefined, given: QueryFlags) => {
      const settings = settingsOf(command, flags)
      const isJson = settings.output === 'json'
      const answer = await answerOf(settings, { store, action, key, given, isJson })
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
    await checkStore(settings, store)
    if (key === undefined) throw new UsageError('query … get needs a key')
    const { rows } = await withShop(settings, (shop) => shop.storeGetAll(store, key))
    if (rows[0] === undefined) throw new CommandError(`store ${store} has no key ${key}`)
    const values = rows.map(({ partition, value }) => ({ partition, value }))
    return JSON.stringify(rows.length === 1 ? rows[0].value : values, null, isJson ? 0 : 2)
  }
  if (action !== 'range') {
    const best = nearest(action, ['get', 'range'])
    throw new UsageError(`unknown action '${action}'; the nearest known one is '${best}'`)
  }
  if (key !== undefined) {
    throw new UsageError('query … range takes no key; bound it with --from and --to')
  }
  await checkStore(settings, store)
  const range = { ...bounds(given), limit: limitOf(given.limit) }
  const { rows, cursor } = await withShop(settings, (shop) => shop.storeRange(store, range))
  if (cursor !== undefined) process.stderr.write(`there is more: --cursor ${cursor}\n`)
  if (isJson) return JSON.stringify(rows)
  return table(
    rows.map((row) => [String(row.partition), keyText(row.key), JSON.stringify(row.value)]),
  )
}

const keyText = (key: unknown): string =>
  typeof key === 'object' ? JSON.stringify(key) : String(key)

/** @throws {UsageError} the shop has no such store */
const checkStore = async (settings: Settings, name: string): Promise<void> => {
  const { shopTopology } = await import('../../topologies/shop/shop.ts')
  const { shopConfigOf } = await import('./shop-settings.ts')
  const known = shopTopology(shopConfigOf(settings)).plan.stores
  if (known.has(name)) return
  const best = nearest(name, known.keys())
  throw new UsageError(`unknown store '${name}'; the nearest known one is '${best}'`)
}

const bounds = ({ from, to, cursor }: QueryFlags): Omit<QueryFlags, 'limit'> => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
  ...(cursor === undefined ? {} : { cursor }),
})

const limitOf = (text: string | undefined): number => {
  if (text === undefined) return limitDefault
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit
  throw new UsageError(`--limit: "${text}" is not a whole number from 1 to ${limitMax}`)
}
