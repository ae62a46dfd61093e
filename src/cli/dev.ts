/** `millrace dev`: the shop on the embedded broker with generated orders, in one process. */

import { Command } from 'commander'
import { type OptionName } from '../config/options.ts'
import { addConfigFlags, type ConfigFlags, instanceOptions, settingsOf } from './config-flags.ts'

const flags: ConfigFlags = {
  options: ['forMs', 'rate', 'load', ...instanceOptions, 'output'] satisfies OptionName[],
  defaults: {
    declineRate: 0.05,
    shortRate: 0.03,
    timeoutRate: 0.03,
    // short enough to be seen expiring, and to drain
    transferDeadlineMs: 10_000,
  },
  withRuntime: true,
}

export const devCommand = (): Command => {
  const command = new Command('dev').description(
    'Run the shop on the embedded broker with generated orders, until Ctrl-C.',
  )
  return addConfigFlags(command, flags).action(async () => {
    const settings = settingsOf(command, flags)
    const { runInstance } = await import('./run-instance.ts')
    process.exitCode = await runInstance(settings, { name: 'dev', withLoad: settings.load })
  })
}
