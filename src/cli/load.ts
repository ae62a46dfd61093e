/** `millrace load FILE`: real or prepared orders into the shop. */

import { Command } from 'commander'
import type { OptionName } from '../config/options.ts'
import {
  addConfigFlags,
  type ConfigFlags,
  instanceOptions,
  kafkaOptions,
  messageOptions,
  settingsOf,
} from './config-flags.ts'

const flags: ConfigFlags = {
  options: [
    'format',
    'exit',
    'stock',
    'rate',
    'document',
    'rejects',
    ...kafkaOptions,
    ...messageOptions,
    ...instanceOptions,
    'output',
  ] satisfies OptionName[],
  defaults: { rate: 100_000 },
  withRuntime: true,
}

const rules = `
A line makes one order. Its id tells whether it is there already, so the same load may be repeated,
and goes on where it was killed:
  json   the orderId in the line, else one made of the document's name, the number of the line and
         the line: under another name the same lines make other orders
  cdnow  one made of the number of the line and the line, whatever the name
A pipe is read to its end before the first order. The name made from its content is another one when
the content grows; with --document it stays, and so do the orders of the lines that were there.

Blank lines are left out. Malformed lines (not JSON, not UTF-8, longer than 1 MiB, a bad field) are
told with their numbers and kept, byte for byte, in the rejects. Another order under an id that is
in use is refused, told and counted. The exit code is 0 unless no line made an order.`

export const loadCommand = (): Command => {
  const command = new Command('load')
    .description('Load orders from a file; what it sells is stocked first.')
    .argument('<file>', 'file or pipe with an order per line; - is stdin')
    .addHelpText('after', rules)
  return addConfigFlags(command, flags).action(async (path: string) => {
    const settings = settingsOf(command, flags)
    const { loadOrders } = await import('./load-orders.ts')
    process.exitCode = await loadOrders(settings, path)
  })
}
