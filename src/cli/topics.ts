/**
 * `millrace topics plan|apply|verify [NAME]`: the topics of an application against what there is.
 *
 * On the Kafka of `--bootstrap`, else on the embedded broker of a state directory.
 */

import { Command } from 'commander'
import type { OptionName } from '../config/options.ts'
import { applicationVerb } from './application-verb.ts'
import { type ConfigFlags, kafkaOptions } from './config-flags.ts'
import type { TopicsVerb } from './topic-admin.ts'

const flags: ConfigFlags = {
  options: [...kafkaOptions, 'stateDir', 'topicNames', 'output'] satisfies OptionName[],
}

const rules = `
Compared are the topics of the catalogue and those that the application makes for itself: whether
they exist, their partitions, and the settings that are wanted; everything else is left alone.
Partitions are only raised where no state depends on them: a refused step (exit code 4) stops the
whole plan. Replicas are given to topics that are created; of others they are named on stderr.`

export const topicsCommand = (): Command =>
  new Command('topics')
    .description("Compare the topics of an application with the broker's, and mend them.")
    .addCommand(verbCommand('plan', 'Print what apply would do: exit code 3 if anything, else 0.'))
    .addCommand(verbCommand('apply', 'Create topics, change settings, add partitions.'))
    .addCommand(verbCommand('verify', 'Name the differences: exit code 1 if there are any.'))

const verbCommand = (verb: TopicsVerb, description: string): Command =>
  applicationVerb({
    verb,
    description,
    rules,
    flags,
    run: async (settings) => (await import('./topic-admin.ts')).administerTopics(settings, verb),
  })
