/** `millrace customer erase ID --yes`: the end of a customer's personal data. */

import { Command } from 'commander'
import type { OptionName } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import { addConfigFlags, type ConfigFlags, registryOptions, settingsOf } from './config-flags.ts'

const flags: ConfigFlags = {
  options: ['stateDir', 'url', ...registryOptions, 'output'] satisfies OptionName[],
}

export const customerCommand = (): Command =>
  new Command('customer').description('See to customers of the shop.').addCommand(eraseCommand())

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
