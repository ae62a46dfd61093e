/** One verb of a command about an application, as `millrace topics plan [NAME]`. */

import { Command } from 'commander'
import type { Settings } from '../config/settings.ts'
import { checkApplication } from './applications.ts'
import { addConfigFlags, type ConfigFlags, settingsOf } from './config-flags.ts'

export interface ApplicationVerb {
  readonly verb: string
  readonly description: string
  /** Shown below the flags. */
  readonly rules: string
  readonly flags: ConfigFlags
  /** @returns the exit code */
  run(settings: Settings): Promise<number>
}

/** Its action throws a UsageError for settings that are wrong, and an application nobody knows. */
export const applicationVerb = (made: ApplicationVerb): Command => {
  const { verb, description, rules, flags } = made
  const command = new Command(verb)
    .description(description)
    .argument('[name]', 'application (default shop)')
    .addHelpText('after', rules)
  return addConfigFlags(command, flags).action(async (name: string = 'shop') => {
    const settings = settingsOf(command, flags)
    checkApplication(name)
    process.exitCode = await made.run(settings)
  })
}
