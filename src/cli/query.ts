/**
 * `millrace query STORE get KEY` and `millrace query STORE range`: typed rows of a local store.
 *
 * Committed state, from the running process or from the files of a stopped one.
 */

import { Command } from 'commander'
import { nearest } from '../config/nearest.ts'
import { type OptionName } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import { addConfigFlags, settingsOf } from './config-flags.ts'
import { CommandError } from './failure.ts'
import { table } from './table.ts'

const flags = { options: ['stateDir', 'output'] satisfies OptionName[] }
const limitMax = 10_000

interface QueryFlags {
  readonly from?: string
  readonly to?: string
  readonly limit: string
}

export const queryCommand = (): Command => {
  const command = new Command('query')
    .description('Read rows of a store, running or not.')
    .argument('<store>', 'name of the store')
    .argument('<action>', 'get or range')
    .argument('[key]', 'key of the row to get')
    .option('--from <key>', 'First key of the range (inclusive).')
    .option('--to <key>', 'End of the range (exclusive).')
    .option('--limit <number>', 'Rows at most (default 100)', '100')
  return addConfigFlags(command, flags).action(
    async (store: string, action: string, key: string | undefined, given: QueryFlags) => {
      const settings = settingsOf(command, flags)
      const { withShop } = await import('./connect-shop.ts')
      const isJson = settings.output === 'json'
      if (action === 'get') {
        if (key === undefined) throw new UsageError('query … get needs a key')
        const value = await withShop(settings, (shop) => shop.storeGet(store, key))
        if (value === undefined) throw new CommandError(`store ${store} has no key ${key}`)
        process.stdout.write(`${JSON.stringify(value, null, isJson ? 0 : 2)}\n`)
        return
      }
      if (action !== 'range') {
        const best = nearest(action, ['get', 'range'])
        throw new UsageError(`unknown action '${action}'; the nearest known one is '${best}'`)
      }
      const range = { ...bounds(given), limit: limitOf(given.limit) }
      const rows = await withShop(settings, (shop) => shop.storeRange(store, range))
      const text = isJson
        ? JSON.stringify(rows.map(([rowKey, value]) => ({ key: rowKey, value })))
        : table(rows.map(([rowKey, value]) => [String(rowKey), JSON.stringify(value)]))
      process.stdout.write(`${text}\n`)
    },
  )
}

const bounds = ({ from, to }: QueryFlags): { readonly from?: string; readonly to?: string } => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
})

const limitOf = (text: string): number => {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit
  throw new UsageError(`--limit: "${text}" is not a whole number from 1 to ${limitMax}`)
}
