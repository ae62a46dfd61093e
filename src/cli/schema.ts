/**
 * `millrace schema check|diff|register [NAME]`: the schemas of an application against a registry.
 *
 * The one of `--schema-registry`, else the built-in one of a state directory.
 */

import { Command } from 'commander'
import type { OptionName } from '../config/options.ts'
import { applicationVerb } from './application-verb.ts'
import { type ConfigFlags, registryOptions } from './config-flags.ts'
import type { SchemaVerb } from './schema-admin.ts'

const flags: ConfigFlags = {
  options: [...registryOptions, 'stateDir', 'topicNames', 'output'] satisfies OptionName[],
}

const rules = `
A schema that is not there becomes the next version of its subject, <topic>-<record>. It must be
able to read every earlier version (BACKWARD_TRANSITIVE), whatever the registry is set to; if one
cannot, it is refused (exit code 4) and nothing is registered.`

export const schemaCommand = (): Command =>
  new Command('schema')
    .description("Compare the Avro schemas of an application with a registry's, and register them.")
    .addCommand(
      verbCommand('check', 'Whether all could be registered: exit code 4 if not, else 0.'),
    )
    .addCommand(
      verbCommand('diff', 'Print what register would do: exit code 3 if anything, else 0.'),
    )
    .addCommand(verbCommand('register', 'Register what is missing.'))

const verbCommand = (verb: SchemaVerb, description: string): Command =>
  applicationVerb({
    verb,
    description,
    rules,
    flags,
    run: async (settings) => (await import('./schema-admin.ts')).administerSchemas(settings, verb),
  })
