/**
 * TLS and SASL towards Kafka, out of the settings of the command line.
 *
 * Used by every command that takes `--bootstrap`. 1. A password is no flag, since a process list
 * shows flags: it comes from MILLRACE_SASL_PASSWORD, the settings file, or a file of its own.
 * 2. A token file is read at each authentication, so that whoever renews it needs no restart.
 * 3. What does not fit together is refused before anything is opened.
 */

import { readFileSync } from 'node:fs'
import type { Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import type { KafkaBrokerOptions } from '../broker/kafka/kafka-broker-options.ts'

export type KafkaSecurity = Partial<Pick<KafkaBrokerOptions, 'tls' | 'sasl' | 'saslSecretFile'>>

/** @throws {UsageError} a file cannot be read, or what the mechanism needs is missing */
export const kafkaSecurityOf = (settings: Settings): KafkaSecurity => ({
  ...tlsOf(settings),
  ...saslOf(settings),
})

const tlsOf = ({ tls, tlsCa, tlsCert, tlsKey }: Settings): KafkaSecurity => {
  if (!tls && tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return {}
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError('--tls-cert and --tls-key belong together: give both')
  }
  return {
    tls: {
      ...(tlsCa !== undefined && { ca: contentOf('--tls-ca', tlsCa) }),
      ...(tlsCert !== undefined && { cert: contentOf('--tls-cert', tlsCert) }),
      ...(tlsKey !== undefined && { key: contentOf('--tls-key', tlsKey) }),
    },
  }
}

const mechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
} as const

const saslOf = (settings: Settings): KafkaSecurity => {
  const { sasl: name, saslUsername: username, saslPassword, saslPasswordFile } = settings
  if (name === undefined) {
    if (username === undefined && saslPasswordFile === undefined) return {}
    throw new UsageError('--sasl is missing: which mechanism takes the user name and password?')
  }
  const mechanism = mechanisms[name]
  const isToken = mechanism === 'OAUTHBEARER'
  if (!isToken && username === undefined) {
    throw new UsageError(`--sasl ${name} needs --sasl-username`)
  }
  const login = { mechanism, ...(username !== undefined && !isToken && { username }) }
  if (saslPasswordFile !== undefined) {
    contentOf('--sasl-password-file', saslPasswordFile) // said now, not at the first connection
    return { sasl: login, saslSecretFile: saslPasswordFile }
  }
  if (saslPassword === undefined) throw noSecret(name, isToken ? 'token' : 'password')
  return { sasl: { ...login, [isToken ? 'token' : 'password']: saslPassword } }
}

const noSecret = (name: string, what: string): UsageError =>
  new UsageError(
    `--sasl ${name} needs a ${what}: in the variable MILLRACE_SASL_PASSWORD, or in a file named by `
      + '--sasl-password-file',
  )

const contentOf = (flag: string, path: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UsageError(`${flag}: cannot read ${path}: ${(error as Error).message}`)
  }
}
