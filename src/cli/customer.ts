/**
 * `millrace customer erase ID --yes`: the end of a customer's personal data.
 * `millrace customer rotate-key`: another master key for the keys of all customers.
 */

import { Command } from 'commander'
import type { OptionName } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import {
  addConfigFlags,
  type ConfigFlags,
  kafkaOptions,
  masterKeyOptions,
  registryOptions,
  settingsOf,
} from './config-flags.ts'

const flags: ConfigFlags = {
  options: ['stateDir', 'url', ...registryOptions, 'output'] satisfies OptionName[],
}

export const customerCommand = (): Command =>
  new Command('customer')
    .description('See to customers of the shop.')
    .addCommand(eraseCommand())
    .addCommand(rotateKeyCommand())

const eraseCommand = (): Command => {
  const command = new Command('erase')
    .description('Make the personal data of a customer unreadable everywhere, for good.')
    .argument('<id>', 'customer id')
    .option('--yes', 'Do it; there is no way back.')
  return addConfigFlags(command, flags).action(
    async (customerId: string, { yes }: { readonly yes?: boolean }) => {
      const settings = settingsOf(command, flags)
      if (yes !== true) {
        throw new UsageError(
          `--yes is missing: addresses, notes and words of customer ${customerId} could never be `
            + 'read again, those of orders on their way neither',
        )
      }
      const { withShop } = await import('./connect-shop.ts')
      const keys = await withShop(settings, (shop) => shop.eraseCustomer(customerId))
      const told = keys === 0 ? 'nothing was sealed since the last time' : `keys destroyed: ${keys}`
      process.stdout.write(
        settings.output === 'json'
          ? `${JSON.stringify({ customerId, keys })}\n`
          : `personal data of customer ${customerId}: ${told}\n`,
      )
    },
  )
}

const rotateFlags: ConfigFlags = {
  options: [
    ...kafkaOptions,
    'stateDir',
    ...masterKeyOptions,
    'output',
    'logLevel',
  ] satisfies OptionName[],
}

const rotation = `
Data keys that --old-master-key-file opens (in a state directory: the key kept there) are put under
that of --master-key-file. Killed, the same command goes on. On Kafka start all replicas with both
first, and with the new one alone afterwards: docs/personal-data.md.`

const rotateKeyCommand = (): Command => {
  const command = new Command('rotate-key')
    .description('Put the keys to personal data under another master key.')
    .addHelpText('after', rotation)
  return addConfigFlags(command, rotateFlags).action(async () => {
    const { rotateKey } = await import('./rotate-key.ts')
    await rotateKey(settingsOf(command, rotateFlags))
  })
}
