/** `millrace order show ID`: an order's row and everything that happened to it, in time order. */

import { Command } from 'commander'
import type { OptionName } from '../config/options.ts'
import { addConfigFlags, masterKeyOptions, registryOptions, settingsOf } from './config-flags.ts'
import { CommandError } from './failure.ts'

const flags = {
  options: [
    'stateDir',
    'url',
    'topicNames',
    ...registryOptions,
    ...masterKeyOptions,
    'output',
  ] satisfies OptionName[],
}

export const orderShowCommand = (): Command => {
  const command = new Command('show')
    .description('Tell the whole story of an order, from a running shop or from its files.')
    .argument('<id>', 'order id')
  return addConfigFlags(command, flags).action(async (orderId: string) => {
    const settings = settingsOf(command, flags)
    const { withShop } = await import('./connect-shop.ts')
    const history = await withShop(settings, (shop) => shop.history(orderId))
    if (history === undefined) throw new CommandError(`nothing is known of order ${orderId}`)
    const { orderStory } = await import('./order-story.ts')
    const isJson = settings.output === 'json'
    process.stdout.write(`${isJson ? JSON.stringify(history) : orderStory(orderId, history)}\n`)
  })
}
