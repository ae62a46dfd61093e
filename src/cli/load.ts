/** `millrace load FILE`: real or prepared orders into the shop. */

import { Command } from 'commander'
import { type OptionName } from '../config/options.ts'
import {
  addConfigFlags,
  type ConfigFlags,
  instanceOptions,
  kafkaOptions,
  settingsOf,
} from './config-flags.ts'

const flags: ConfigFlags = {
  options: [
    'format',
    'exit',
    'stock',
    'rate',
    'rejects',
    ...kafkaOptions,
    ...instanceOptions,
    'output',
  ] satisfies OptionName[],
  defaults: { rate: 100_000 },
  withRuntime: true,
}

export const loadCommand = (): Command => {
  const command = new Command('load')
    .description('Load orders from a file; what it sells is stocked first.')
    .argument('<file>', 'JSON lines (bodies of POST /api/orders), or a CDNOW file')
  return addConfigFlags(command, flags).action(async (path: string) => {
    const settings = settingsOf(command, flags)
    const { loadOrders } = await import('./load-orders.ts')
    process.exitCode = await loadOrders(settings, path)
  })
}
