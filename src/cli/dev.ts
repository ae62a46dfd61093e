/** `millrace dev`: the shop with generated orders, on the embedded broker or a Kafka of its own. */

import { Command } from 'commander'
import type { OptionName } from '../config/options.ts'
import {
  addConfigFlags,
  type ConfigFlags,
  instanceOptions,
  messageOptions,
  settingsOf,
} from './config-flags.ts'

const flags: ConfigFlags = {
  options: [
    'forMs',
    'rate',
    'load',
    'kafka',
    ...messageOptions,
    ...instanceOptions,
    'output',
  ] satisfies OptionName[],
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
    'Run the shop with generated orders, on the embedded broker, until Ctrl-C.',
  )
  return addConfigFlags(command, flags).action(async () => {
    const settings = settingsOf(command, flags)
    const { runInstance } = await import('./run-instance.ts')
    const options = { name: 'dev', withLoad: settings.load } as const
    if (!settings.kafka) {
      process.exitCode = await runInstance(settings, options)
      return
    }
    const { startDevKafka } = await import('./dev-kafka.ts')
    const kafka = await startDevKafka(settings.stateDir)
    try {
      const { bootstrap } = kafka
      process.exitCode = await runInstance(settings, { ...options, bootstrap, isAlone: true })
    } finally {
      await kafka.stop()
    }
  })
}
