/** Steps of a topic plan as a table for people, or as one JSON document; in Kafka's names. */

import type { SettingChange, TopicStep } from '../runtime/topic-steps.ts'
import { table } from './table.ts'

export const stepsText = (steps: readonly TopicStep[], output: 'table' | 'json'): string => {
  if (output === 'json') return `${JSON.stringify(steps.map(jsonOf))}\n`
  return steps.length === 0 ? '' : `${table(steps.flatMap(rowsOf))}\n`
}

const jsonOf = (step: TopicStep): object => {
  const { action, topic, kind } = step
  const common = { action, topic, kind }
  switch (step.action) {
    case 'create': {
      const { partitions, replicas, config } = step.spec
      const settings = Object.entries(config).map(([name, value]) => [kafkaName(name), `${value}`])
      return { ...common, partitions, replicas, settings: Object.fromEntries(settings) }
    }
    case 'change settings':
      return {
        ...common,
        changes: step.changes.map(({ setting, from, to }) => ({
          setting: kafkaName(setting),
          from,
          to,
        })),
      }
    case 'raise partitions':
      return { ...common, from: step.from, to: step.to }
    case 'refused':
      return { ...common, from: step.from, to: step.to, reason: step.reason }
    case 'ok':
      return common
  }
}

/** One row, or one for each setting. */
const rowsOf = (step: TopicStep): readonly (readonly string[])[] => {
  const head = [step.action, step.topic, step.kind]
  switch (step.action) {
    case 'create': {
      const { partitions, replicas, config } = step.spec
      const settings = Object.entries(config).map(([name, value]) => `${kafkaName(name)}=${value}`)
      return [[...head, `partitions=${partitions} replicas=${replicas} ${settings.join(' ')}`]]
    }
    case 'change settings':
      return step.changes.map((change) => [...head, changeText(change)])
    case 'raise partitions':
      return [[...head, `partitions ${step.from} → ${step.to}`]]
    case 'refused':
      return [[...head, `partitions ${step.from} → ${step.to}: ${step.reason}`]]
    case 'ok':
      return [[...head, '']]
  }
}

const changeText = ({ setting, from, to }: SettingChange): string =>
  `${kafkaName(setting)} ${from} → ${to}`

/** `retentionMs` → `retention.ms`. */
const kafkaName = (setting: string): string =>
  setting === 'compression'
    ? 'compression.type'
    : setting.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`)
